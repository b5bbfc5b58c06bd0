#pragma once
// SQLite on a disk that fills up after a number of writes.

#include <sqlite3.h>

#include <cstring>

namespace plumbline::testing {

/// While it lives, files that SQLite opens go through it, and writing fails once `writes_left` is used up.
/// One at a time.
class FailingDisk {
  public:
    FailingDisk() {
        real_ = sqlite3_vfs_find(nullptr);
        vfs_ = *real_;
        vfs_.zName = "failing-disk";
        vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
        vfs_.xOpen = open;
        vfs_.pAppData = real_->pAppData;
        sqlite3_vfs_register(&vfs_, 1);
        writes_left = unlimited;
    }
    ~FailingDisk() {
        sqlite3_vfs_unregister(&vfs_);
        sqlite3_vfs_register(real_, 1);
    }
    FailingDisk(const FailingDisk&) = delete;
    FailingDisk& operator=(const FailingDisk&) = delete;

    static constexpr int unlimited = -1;
    inline static int writes_left = unlimited;

  private:
    struct File {
        sqlite3_file base;
        sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    };
    static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

    static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
        if (writes_left == 0) {
            return SQLITE_FULL;
        }
        writes_left -= writes_left > 0 ? 1 : 0;
        return real(file)->pMethods->xWrite(real(file), data, size, offset);
    }

    static int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
        static const sqlite3_io_methods methods = forwarding();
        file->pMethods = nullptr;
        const int code = real_->xOpen(real_, name, real(file), flags, out);
        if (real(file)->pMethods != nullptr) {
            file->pMethods = &methods;
        }
        return code;
    }

    static sqlite3_io_methods forwarding() {
        using F = sqlite3_file*;
        sqlite3_io_methods m{};
        m.iVersion = 2;  // the log's shared memory; no memory map
        m.xClose = [](F f) { return real(f)->pMethods->xClose(real(f)); };
        m.xRead = [](F f, void* data, int n, sqlite3_int64 at) {
            return real(f)->pMethods->xRead(real(f), data, n, at);
        };
        m.xWrite = write;
        m.xTruncate = [](F f, sqlite3_int64 n) { return real(f)->pMethods->xTruncate(real(f), n); };
        m.xSync = [](F f, int flags) { return real(f)->pMethods->xSync(real(f), flags); };
        m.xFileSize = [](F f, sqlite3_int64* n) { return real(f)->pMethods->xFileSize(real(f), n); };
        m.xLock = [](F f, int level) { return real(f)->pMethods->xLock(real(f), level); };
        m.xUnlock = [](F f, int level) { return real(f)->pMethods->xUnlock(real(f), level); };
        m.xCheckReservedLock = [](F f, int* out) {
            return real(f)->pMethods->xCheckReservedLock(real(f), out);
        };
        m.xFileControl = [](F f, int op, void* arg) {
            return real(f)->pMethods->xFileControl(real(f), op, arg);
        };
        m.xSectorSize = [](F f) { return real(f)->pMethods->xSectorSize(real(f)); };
        m.xDeviceCharacteristics = [](F f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); };
        m.xShmMap = [](F f, int region, int size, int extend, void volatile** out) {
            return real(f)->pMethods->xShmMap(real(f), region, size, extend, out);
        };
        m.xShmLock = [](F f, int offset, int n, int flags) {
            return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
        };
        m.xShmBarrier = [](F f) { real(f)->pMethods->xShmBarrier(real(f)); };
        m.xShmUnmap = [](F f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); };
        return m;
    }

    inline static sqlite3_vfs* real_ = nullptr;
    sqlite3_vfs vfs_{};
};

}  // namespace plumbline::testing
