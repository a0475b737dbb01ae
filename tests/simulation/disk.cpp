#include "tests/simulation/disk.h"

#include <sqlite3.h>

#include <array>
#include <cstring>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

namespace sealwire::test {
namespace {

constexpr std::size_t kSectorBytes = 512;
constexpr std::size_t kShmLocks = 8;

std::mutex disks_mutex;  // guards everything below, and every State

struct Change {
  std::size_t at = 0;
  Bytes data;
  std::optional<std::size_t> size;  // a truncation
  bool lost = false;                // its sync failed
};

void write_to(Bytes& bytes, const Change& change) {
  if (change.size) {
    bytes.resize(*change.size);
    return;
  }
  if (bytes.size() < change.at + change.data.size()) bytes.resize(change.at + change.data.size());
  std::copy(change.data.begin(), change.data.end(),
            bytes.begin() + static_cast<std::ptrdiff_t>(change.at));
}

struct Handle;

struct File {
  Bytes now;      // as it reads
  Bytes durable;  // as it is after a power cut that spares nothing
  std::vector<Change> pending;
  std::map<const Handle*, int> locks;
  std::vector<std::unique_ptr<Bytes>> shm;
  std::array<const Handle*, kShmLocks> exclusive{};
  std::array<std::map<const Handle*, bool>, kShmLocks> shared;
};

}  // namespace

struct Disk::State {
  std::filesystem::path folder;
  std::mt19937_64 dice;
  std::map<std::string, std::shared_ptr<File>> files;
  std::map<std::string, std::shared_ptr<File>> deleted;  // and may be there again
  std::uint64_t generation = 1;
  std::uint64_t steps = 0;
  std::uint64_t dies_at = 0;  // 0: never
  std::uint64_t fails_at = 0;
  int failure = SQLITE_OK;
  bool dead = false;
  Lie lie = Lie::none;

  // Whether the next change may go on: SQLITE_OK, or what it fails with.
  int step() {
    if (dead) return SQLITE_IOERR;
    ++steps;
    if (steps == dies_at) {
      dead = true;
      return SQLITE_IOERR;
    }
    if (steps == fails_at) return failure;
    return SQLITE_OK;
  }
  void cut_power(File& file);
};

// Per cut and file: nothing of what waited, all of it, a prefix whose last write is torn, or any
// sectors in any order.
void Disk::State::cut_power(File& file) {
  const auto how = dice() % 4;
  const std::size_t prefix = file.pending.empty() ? 0 : dice() % (file.pending.size() + 1);
  for (std::size_t i = 0; i < file.pending.size(); ++i) {
    const Change& change = file.pending[i];
    if (change.lost || how == 0 || (how == 2 && i > prefix)) continue;
    if (how == 1 || (how == 2 && i < prefix) || change.size) {
      if (!change.size || how != 3 || dice() % 2 == 0) write_to(file.durable, change);
      continue;
    }
    for (std::size_t at = 0; at < change.data.size();) {
      const std::size_t end =
          std::min(change.data.size(), at + kSectorBytes - (change.at + at) % kSectorBytes);
      const bool kept = dice() % 2 == 0;
      if (!kept && how == 2) break;
      Change sector{change.at + at,
                    Bytes(change.data.begin() + static_cast<std::ptrdiff_t>(at),
                          change.data.begin() + static_cast<std::ptrdiff_t>(end)),
                    {},
                    false};
      if (kept) write_to(file.durable, sector);
      at = end;
    }
  }
  file.now = file.durable;
  file.pending.clear();
}

namespace {

struct Handle {
  sqlite3_file base;
  Disk::State* disk;
  std::shared_ptr<File>* file;
  std::uint64_t generation;
  bool is_log;
};

std::map<std::string, std::shared_ptr<Disk::State>>& disks() {
  static std::map<std::string, std::shared_ptr<Disk::State>> all;
  return all;
}
sqlite3_vfs* real = nullptr;

struct Place {
  Disk::State* disk = nullptr;
  std::string name;
};
Place place_of(const char* path) {
  if (path == nullptr) return {};
  const std::filesystem::path whole(path);
  const auto found = disks().find(whole.parent_path().string());
  if (found == disks().end()) return {};
  return {found->second.get(), whole.filename().string()};
}

Handle& handle_of(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file);
}
bool stale(const Handle& handle) {
  return handle.disk->dead || handle.generation != handle.disk->generation;
}

int close_file(sqlite3_file* base) {
  const std::lock_guard lock(disks_mutex);
  Handle& handle = handle_of(base);
  File& file = **handle.file;
  file.locks.erase(&handle);
  for (std::size_t i = 0; i < kShmLocks; ++i) {
    file.shared[i].erase(&handle);
    if (file.exclusive[i] == &handle) file.exclusive[i] = nullptr;
  }
  delete handle.file;
  return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* out, int amount, sqlite3_int64 offset) {
  const std::lock_guard lock(disks_mutex);
  Handle& handle = handle_of(base);
  if (stale(handle)) return SQLITE_IOERR_READ;
  const Bytes& bytes = (*handle.file)->now;
  const auto at = static_cast<std::size_t>(offset);
  const std::size_t there =
      at >= bytes.size() ? 0 : std::min(bytes.size() - at, static_cast<std::size_t>(amount));
  if (there > 0) std::memcpy(out, bytes.data() + at, there);
  if (there == static_cast<std::size_t>(amount)) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + there, 0, static_cast<std::size_t>(amount) - there);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* base, const void* data, int amount, sqlite3_int64 offset) {
  const std::lock_guard lock(disks_mutex);
  Handle& handle = handle_of(base);
  if (stale(handle)) return SQLITE_IOERR_WRITE;
  File& file = **handle.file;
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  Change change{static_cast<std::size_t>(offset), Bytes(bytes, bytes + amount), {}, false};
  const int code = handle.disk->step();
  if (code != SQLITE_OK) {
    // A write that fails has been done in part: up to some sector.
    const std::size_t sectors = change.data.size() / kSectorBytes + 1;
    change.data.resize(std::min(change.data.size(), handle.disk->dice() % sectors * kSectorBytes));
    if (change.data.empty()) return code == SQLITE_IOERR ? SQLITE_IOERR_WRITE : code;
  }
  write_to(file.now, change);
  file.pending.push_back(std::move(change));
  return code == SQLITE_IOERR ? SQLITE_IOERR_WRITE : code;
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  const std::lock_guard lock(disks_mutex);
  Handle& handle = handle_of(base);
  if (stale(handle)) return SQLITE_IOERR_TRUNCATE;
  if (const int code = handle.disk->step()) return code;
  Change change{0, {}, static_cast<std::size_t>(size), false};
  write_to((*handle.file)->now, change);
  (*handle.file)->pending.push_back(std::move(change));
  return SQLITE_OK;
}

int sync_file(sqlite3_file* base, int) {
  const std::lock_guard lock(disks_mutex);
  Handle& handle = handle_of(base);
  if (stale(handle)) return SQLITE_IOERR_FSYNC;
  File& file = **handle.file;
  if (const int code = handle.disk->step()) {
    for (Change& change : file.pending)
      change.lost = change.lost || !handle.disk->dead;
    return SQLITE_IOERR_FSYNC;
  }
  const Disk::Lie lie = handle.disk->lie;
  if (lie == Disk::Lie::all_syncs || (lie == Disk::Lie::log_syncs && handle.is_log))
    return SQLITE_OK;
  for (const Change& change : file.pending)
    if (!change.lost) write_to(file.durable, change);
  file.pending.clear();
  handle.disk->deleted.clear();
  return SQLITE_OK;
}

int file_size(sqlite3_file* base, sqlite3_int64* size) {
  const std::lock_guard lock(disks_mutex);
  if (stale(handle_of(base))) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>((*handle_of(base).file)->now.size());
  return SQLITE_OK;
}

int lock_file(sqlite3_file* base, int level) {
  const std::lock_guard lock(disks_mutex);
  Handle& handle = handle_of(base);
  if (stale(handle)) return SQLITE_IOERR_LOCK;
  auto& locks = (*handle.file)->locks;
  int& mine = locks[&handle];
  if (mine >= level) return SQLITE_OK;
  int others = SQLITE_LOCK_NONE;
  for (const auto& [other, held] : locks)
    if (other != &handle) others = std::max(others, held);
  if (level == SQLITE_LOCK_SHARED && others >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_RESERVED && others >= SQLITE_LOCK_RESERVED) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_EXCLUSIVE && others >= SQLITE_LOCK_SHARED) {
    if (others < SQLITE_LOCK_PENDING) mine = SQLITE_LOCK_PENDING;
    return SQLITE_BUSY;
  }
  mine = level;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* base, int level) {
  const std::lock_guard lock(disks_mutex);
  int& mine = (*handle_of(base).file)->locks[&handle_of(base)];
  mine = std::min(mine, level);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* base, int* reserved) {
  const std::lock_guard lock(disks_mutex);
  *reserved = 0;
  for (const auto& [other, held] : (*handle_of(base).file)->locks)
    if (held >= SQLITE_LOCK_RESERVED) *reserved = 1;
  return SQLITE_OK;
}

int control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return static_cast<int>(kSectorBytes);
}
int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int shm_map(sqlite3_file* base, int region, int size, int extend, void volatile** out) {
  const std::lock_guard lock(disks_mutex);
  *out = nullptr;
  Handle& handle = handle_of(base);
  if (stale(handle)) return SQLITE_IOERR_SHMMAP;
  auto& shm = (*handle.file)->shm;
  const auto wanted = static_cast<std::size_t>(region);
  if (wanted >= shm.size() && extend == 0) return SQLITE_OK;
  while (shm.size() <= wanted)
    shm.push_back(std::make_unique<Bytes>(static_cast<std::size_t>(size)));
  *out = shm[wanted]->data();
  return SQLITE_OK;
}

int shm_lock(sqlite3_file* base, int offset, int count, int flags) {
  const std::lock_guard lock(disks_mutex);
  Handle& handle = handle_of(base);
  File& file = **handle.file;
  const auto first = static_cast<std::size_t>(offset);
  const auto end = first + static_cast<std::size_t>(count);
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (std::size_t i = first; i < end; ++i) {
      file.shared[i].erase(&handle);
      if (file.exclusive[i] == &handle) file.exclusive[i] = nullptr;
    }
    return SQLITE_OK;
  }
  if (stale(handle)) return SQLITE_IOERR_SHMLOCK;
  for (std::size_t i = first; i < end; ++i) {
    if (file.exclusive[i] != nullptr && file.exclusive[i] != &handle) return SQLITE_BUSY;
    const std::size_t others = file.shared[i].size() - file.shared[i].count(&handle);
    if (exclusive && others > 0) return SQLITE_BUSY;
  }
  for (std::size_t i = first; i < end; ++i) {
    if (exclusive)
      file.exclusive[i] = &handle;
    else
      file.shared[i][&handle] = true;
  }
  return SQLITE_OK;
}

void shm_barrier(sqlite3_file*) {
  const std::lock_guard lock(disks_mutex);
}

int shm_unmap(sqlite3_file* base, int remove) {
  const std::lock_guard lock(disks_mutex);
  Handle& handle = handle_of(base);
  if (remove != 0 && !stale(handle)) (*handle.file)->shm.clear();
  return SQLITE_OK;
}

const sqlite3_io_methods methods = {
    2,         close_file,  read_file,      write_file, truncate_file, sync_file,       file_size,
    lock_file, unlock_file, check_reserved, control,    sector_size,   characteristics, shm_map,
    shm_lock,  shm_barrier, shm_unmap,      nullptr,    nullptr};

int open_file(sqlite3_vfs*, const char* path, sqlite3_file* base, int flags, int* out_flags) {
  std::unique_lock lock(disks_mutex);
  const Place place = place_of(path);
  if (place.disk == nullptr) {
    lock.unlock();
    return real->xOpen(real, path, base, flags, out_flags);
  }
  base->pMethods = nullptr;
  if (place.disk->dead) return SQLITE_CANTOPEN;
  auto found = place.disk->files.find(place.name);
  if (found == place.disk->files.end()) {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    place.disk->deleted.erase(place.name);
    found = place.disk->files.emplace(place.name, std::make_shared<File>()).first;
  }
  Handle& handle = handle_of(base);
  handle.disk = place.disk;
  handle.file = new std::shared_ptr<File>(found->second);
  handle.generation = place.disk->generation;
  handle.is_log = place.name.ends_with("-wal");
  base->pMethods = &methods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* path, int sync) {
  std::unique_lock lock(disks_mutex);
  const Place place = place_of(path);
  if (place.disk == nullptr) {
    lock.unlock();
    return real->xDelete(real, path, sync);
  }
  const auto found = place.disk->files.find(place.name);
  if (found == place.disk->files.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (place.disk->step() != SQLITE_OK) return SQLITE_IOERR_DELETE;
  if (sync == 0) place.disk->deleted[place.name] = found->second;
  place.disk->files.erase(found);
  return SQLITE_OK;
}

int access_file(sqlite3_vfs*, const char* path, int flags, int* result) {
  std::unique_lock lock(disks_mutex);
  const Place place = place_of(path);
  if (place.disk == nullptr) {
    lock.unlock();
    return real->xAccess(real, path, flags, result);
  }
  const auto found = place.disk->files.find(place.name);
  *result = found != place.disk->files.end() && !found->second->now.empty() ? 1 : 0;
  return SQLITE_OK;
}

// A fixed answer: SQLite's own generator is seeded with it, and a run is the same every time.
int randomness(sqlite3_vfs*, int amount, char* out) {
  std::memset(out, 0x5a, static_cast<std::size_t>(amount));
  return amount;
}

void register_vfs() {
  static const bool done = [] {
    real = sqlite3_vfs_find(nullptr);
    static sqlite3_vfs vfs = *real;
    vfs.zName = "sealwire-simulated-disk";
    vfs.pNext = nullptr;
    vfs.szOsFile = std::max(real->szOsFile, static_cast<int>(sizeof(Handle)));
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.xAccess = access_file;
    vfs.xRandomness = randomness;
    return sqlite3_vfs_register(&vfs, 1) == SQLITE_OK;
  }();
  static_cast<void>(done);
}

}  // namespace

Disk::Disk(std::filesystem::path folder) : state_(std::make_shared<State>()) {
  register_vfs();
  const std::lock_guard lock(disks_mutex);
  state_->folder = std::move(folder);
  disks()[state_->folder.string()] = state_;
}

Disk::~Disk() {
  const std::lock_guard lock(disks_mutex);
  disks().erase(state_->folder.string());
}

void Disk::reset(Image image, std::uint64_t seed) {
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_RESET);
  const std::lock_guard lock(disks_mutex);
  ++state_->generation;
  state_->dice.seed(seed);
  state_->files.clear();
  state_->deleted.clear();
  for (auto& [name, bytes] : image) {
    auto file = std::make_shared<File>();
    file->now = file->durable = std::move(bytes);
    state_->files[name] = std::move(file);
  }
  state_->steps = state_->dies_at = state_->fails_at = 0;
  state_->dead = false;
  state_->lie = Lie::none;
}

Disk::Image Disk::image() const {
  const std::lock_guard lock(disks_mutex);
  Image image;
  for (const auto& [name, file] : state_->files)
    image[name] = file->now;
  return image;
}

const std::filesystem::path& Disk::folder() const {
  return state_->folder;
}

std::uint64_t Disk::steps() const {
  const std::lock_guard lock(disks_mutex);
  return state_->steps;
}
void Disk::die_at(std::uint64_t nth) {
  const std::lock_guard lock(disks_mutex);
  state_->dies_at = state_->steps + nth;
}
void Disk::fail_at(std::uint64_t nth, int code) {
  const std::lock_guard lock(disks_mutex);
  state_->fails_at = state_->steps + nth;
  state_->failure = code;
}
void Disk::fail_never() {
  const std::lock_guard lock(disks_mutex);
  state_->fails_at = state_->dies_at = 0;
}
void Disk::lie(Lie lie) {
  const std::lock_guard lock(disks_mutex);
  state_->lie = lie;
}
bool Disk::dead() const {
  const std::lock_guard lock(disks_mutex);
  return state_->dead;
}

void Disk::restart(Crash how) {
  const std::lock_guard lock(disks_mutex);
  ++state_->generation;
  state_->dead = false;
  state_->dies_at = state_->fails_at = 0;
  if (how == Crash::power)
    for (auto& [name, file] : std::exchange(state_->deleted, {}))
      if (state_->dice() % 2 == 0) state_->files.emplace(name, file);
  std::map<std::string, std::shared_ptr<File>> survivors;
  for (const auto& [name, file] : state_->files) {
    // A new object: handles of before keep the old one.
    auto fresh = std::make_shared<File>();
    fresh->now = file->now;
    fresh->durable = file->durable;
    fresh->pending = file->pending;
    if (how == Crash::power) state_->cut_power(*fresh);
    survivors[name] = std::move(fresh);
  }
  state_->files = std::move(survivors);
}

}  // namespace sealwire::test
