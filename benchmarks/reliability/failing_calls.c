/* Loaded before the C library: fails the n-th call that writes below a folder, whoever makes it: Python, SQLite, Lance.
 *
 *     cc -shared -fPIC -O1 -o failing_calls.so failing_calls.c -ldl
 *
 * calotype_arm(root, n, mode): from now on calls are counted; 0 as n only counts.
 *   mode 1: ENOSPC from the n-th call on, as on a disk that is full
 *   mode 2: EIO at the n-th call
 *   mode 3: the n-th write takes half of the bytes (only writes of two bytes and more are counted)
 * calotype_disarm(): the number of calls that were counted.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define N_FILES 65536
#define NEXT(name) ({ static __typeof__(&name) next; if (!next) next = dlsym(RTLD_NEXT, #name); next; })

static char root[PATH_MAX];
static size_t root_length;
static atomic_long counted;
static long failing;
static int mode, armed;
static unsigned char watched[N_FILES];

void calotype_arm(const char *folder, long n, int how) {
    strncpy(root, folder, sizeof root - 1);
    root_length = strlen(root);
    atomic_store(&counted, 0);
    failing = n;
    mode = how;
    armed = 1;
}

long calotype_disarm(void) {
    armed = 0;
    return atomic_load(&counted);
}

static int below(const char *path) { return armed && path && strncmp(path, root, root_length) == 0; }

static int below_at(int folder, const char *path) {
    char link[64], place[PATH_MAX];
    if (!armed || !path) return 0;
    if (path[0] == '/' || folder == AT_FDCWD) return below(path);
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t n = readlink(link, place, sizeof place - 1);
    if (n < 0) return 0;
    place[n] = 0;
    return below(place);
}

static int on_watched(int file) { return armed && file >= 0 && file < N_FILES && watched[file]; }

/* Whether this call fails; sets errno. */
static int fails(int removes) {
    if (mode == 3) return 0;
    long at = atomic_fetch_add(&counted, 1) + 1;
    if (!failing || at < failing || (mode == 2 && at > failing) || (mode == 1 && removes)) return 0;
    errno = mode == 1 ? ENOSPC : EIO;
    return 1;
}

static int is_short(size_t n) {
    if (mode != 3 || n < 2) return 0;
    return atomic_fetch_add(&counted, 1) + 1 == failing;
}

static int watch(int file, int yes) {
    if (file >= 0 && file < N_FILES) watched[file] = yes;
    return file;
}

#define OPEN(name)                                                                                   \
    int name(const char *path, int flags, ...) {                                                     \
        va_list rest; va_start(rest, flags); mode_t bits = va_arg(rest, mode_t); va_end(rest);       \
        int writes = (flags & O_ACCMODE) != O_RDONLY && below(path);                                 \
        if (writes && (flags & O_CREAT) && access(path, F_OK) != 0 && fails(0)) return -1;           \
        return watch(NEXT(name)(path, flags, bits), writes);                                         \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                 \
    int name(int folder, const char *path, int flags, ...) {                                         \
        va_list rest; va_start(rest, flags); mode_t bits = va_arg(rest, mode_t); va_end(rest);       \
        int writes = (flags & O_ACCMODE) != O_RDONLY && below_at(folder, path);                      \
        if (writes && (flags & O_CREAT) && faccessat(folder, path, F_OK, 0) != 0 && fails(0)) return -1; \
        return watch(NEXT(name)(folder, path, flags, bits), writes);                                 \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int file) {
    watch(file, 0);
    return NEXT(close)(file);
}

ssize_t write(int file, const void *data, size_t n) {
    if (on_watched(file)) {
        if (fails(0)) return -1;
        if (is_short(n)) n /= 2;
    }
    return NEXT(write)(file, data, n);
}

#define PWRITE(name, type)                                                                           \
    ssize_t name(int file, const void *data, size_t n, type place) {                                 \
        if (on_watched(file)) {                                                                      \
            if (fails(0)) return -1;                                                                 \
            if (is_short(n)) n /= 2;                                                                 \
        }                                                                                            \
        return NEXT(name)(file, data, n, place);                                                     \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int file, const struct iovec *parts, int n) {
    return on_watched(file) && fails(0) ? -1 : NEXT(writev)(file, parts, n);
}

int fsync(int file) {
    char link[64], place[PATH_MAX];
    if (armed) { /* folders are opened for reading, and flushed too */
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t n = readlink(link, place, sizeof place - 1);
        if (n > 0) {
            place[n] = 0;
            if (below(place) && fails(0)) return -1;
        }
    }
    return NEXT(fsync)(file);
}
int fdatasync(int file) { return on_watched(file) && fails(0) ? -1 : NEXT(fdatasync)(file); }
int ftruncate(int file, off_t n) { return on_watched(file) && fails(0) ? -1 : NEXT(ftruncate)(file, n); }
int ftruncate64(int file, off64_t n) { return on_watched(file) && fails(0) ? -1 : NEXT(ftruncate64)(file, n); }
int fallocate(int file, int how, off_t at, off_t n) {
    return on_watched(file) && fails(0) ? -1 : NEXT(fallocate)(file, how, at, n);
}
int posix_fallocate(int file, off_t at, off_t n) {
    return on_watched(file) && fails(0) ? errno : NEXT(posix_fallocate)(file, at, n);
}
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t n, unsigned flags) {
    return on_watched(to) && fails(0) ? -1 : NEXT(copy_file_range)(from, a, to, b, n, flags);
}
ssize_t sendfile(int to, int from, off_t *a, size_t n);
ssize_t sendfile(int to, int from, off_t *a, size_t n) {
    return on_watched(to) && fails(0) ? -1 : NEXT(sendfile)(to, from, a, n);
}

int mkdir(const char *path, mode_t bits) { return below(path) && fails(0) ? -1 : NEXT(mkdir)(path, bits); }
int rename(const char *from, const char *to) { return below(to) && fails(0) ? -1 : NEXT(rename)(from, to); }
int renameat(int a, const char *from, int b, const char *to) {
    return below_at(b, to) && fails(0) ? -1 : NEXT(renameat)(a, from, b, to);
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    return below_at(b, to) && fails(0) ? -1 : NEXT(renameat2)(a, from, b, to, flags);
}
int link(const char *from, const char *to) { return below(to) && fails(0) ? -1 : NEXT(link)(from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) {
    return below_at(b, to) && fails(0) ? -1 : NEXT(linkat)(a, from, b, to, flags);
}
int unlink(const char *path) { return below(path) && fails(1) ? -1 : NEXT(unlink)(path); }
int unlinkat(int folder, const char *path, int flags) {
    return below_at(folder, path) && fails(1) ? -1 : NEXT(unlinkat)(folder, path, flags);
}
int rmdir(const char *path) { return below(path) && fails(1) ? -1 : NEXT(rmdir)(path); }
