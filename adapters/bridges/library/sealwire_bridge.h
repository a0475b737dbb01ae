/* The contract of a bridge (CONTRACT.md) for a shared library: the same JSON lines, without the
 * process between.
 *
 * A library lives inside its host, with the agent's key, and no cage holds it: only for code that
 * you trust as you trust the host. It exports the four functions below; every line is UTF-8,
 * without its newline, at most 2 MiB. */
#ifndef SEALWIRE_BRIDGE_H
#define SEALWIRE_BRIDGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SEALWIRE_BRIDGE_ABI 1

/* What a library makes of it is its own. */
typedef struct sealwire_bridge sealwire_bridge;

/* The bridge says a line. From any thread of the library's, also from within sealwire_bridge_tell;
 * it may block while the host is behind. The line is read before it returns. */
typedef void (*sealwire_bridge_said)(void* host, const char* line, size_t size);

/* SEALWIRE_BRIDGE_ABI of the header that it was built with. */
uint32_t sealwire_bridge_abi(void);

/* A new bridge, which says hello; NULL if it cannot. `said` and `host` are good until
 * sealwire_bridge_end returns. */
sealwire_bridge* sealwire_bridge_start(sealwire_bridge_said said, void* host);

/* The bridge is told a line, always from one thread of the host's. The line is gone when it
 * returns. */
void sealwire_bridge_tell(sealwire_bridge* bridge, const char* line, size_t size);

/* Ends it: nothing is said any more once this has returned. */
void sealwire_bridge_end(sealwire_bridge* bridge);

#ifdef __cplusplus
}
#endif

#endif
