// Preloaded into sealwired: the call number SEALWIRE_FAIL_AT of the kind SEALWIRE_FAIL fails, once.
// Kinds: sync, write (of files), memory; the harness's teeth are nosync (no sync does anything)
// and nowalsync (none of SQLite's log does).
// Once it has failed, the file SEALWIRE_FAILED exists.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* old, size_t size);

static const char* kind = "";
static long at;
static atomic_long calls;

__attribute__((constructor)) static void configure(void) {
  const char* number = getenv("SEALWIRE_FAIL_AT");
  if (number != NULL) at = atol(number);
  if (getenv("SEALWIRE_FAIL") != NULL) kind = getenv("SEALWIRE_FAIL");
}

static int fails(const char* what) {
  if (strcmp(kind, what) != 0 || atomic_fetch_add(&calls, 1) + 1 != at) return 0;
  const char* mark = getenv("SEALWIRE_FAILED");
  if (mark != NULL)
    syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  return 1;
}

static int is_log(int fd) {
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path);
  return size > 4 && memcmp(path + size - 4, "-wal", 4) == 0;
}

static int sync_of(long call, int fd) {
  if (strcmp(kind, "nosync") == 0) return 0;
  if (strcmp(kind, "nowalsync") == 0 && is_log(fd)) return 0;
  if (fails("sync")) {
    errno = EIO;
    return -1;
  }
  return (int)syscall(call, fd);
}
int fsync(int fd) {
  return sync_of(SYS_fsync, fd);
}
int fdatasync(int fd) {
  return sync_of(SYS_fdatasync, fd);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  if (fails("write")) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pwrite64, fd, bytes, size, offset);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return pwrite64(fd, bytes, size, offset);
}

static int no_memory(void) {
  if (!fails("memory")) return 0;
  errno = ENOMEM;
  return 1;
}
void* malloc(size_t size) {
  return no_memory() ? NULL : __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  return no_memory() ? NULL : __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) {
  return no_memory() ? NULL : __libc_realloc(old, size);
}
