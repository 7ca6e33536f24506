/* A disk that fails: loaded before libc into a process under test (LD_PRELOAD), it makes calls on regular files below one folder fail.
 *
 * What fails is said by disk_fails(), or by the file that DISK_FAILS names, which every call reads again: five words, namely
 *   how many bytes can still be written (-1: any number), the errno of a write after that, the errno of fsync, the errno of opening for writing (0: none),
 *   and a part of the path of the files that are meant.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long left = -1;
static int write_errno, sync_errno, open_errno;
static char meant[512];

void disk_fails(long bytes, int on_write, int on_sync, int on_open, const char *part) {
    left = bytes, write_errno = on_write, sync_errno = on_sync, open_errno = on_open;
    snprintf(meant, sizeof meant, "%s", part);
}

static void look(void) {
    const char *control = getenv("DISK_FAILS");
    char said[640] = "";
    if (!control) return;
    int fd = syscall(SYS_openat, AT_FDCWD, control, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : syscall(SYS_read, fd, said, sizeof said - 1);
    if (fd >= 0) syscall(SYS_close, fd);
    left = -1, sync_errno = open_errno = 0;
    if (n > 0) sscanf(said, "%ld %d %d %d %511s", &left, &write_errno, &sync_errno, &open_errno, meant);
}

static int is_meant(int fd) {
    char link[64], path[4096];
    struct stat about;
    if (!*meant || fstat(fd, &about) || !S_ISREG(about.st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return strstr(path, meant) != NULL;
}

/* How many of so many bytes still fit; -1 where none does. */
static ssize_t room(int fd, size_t count) {
    int before = errno;
    look();
    int limited = left >= 0 && is_meant(fd);
    errno = before;
    if (!limited || !count) return (ssize_t)count;
    if (!left) { errno = write_errno; return -1; }
    if ((size_t)left < count) count = (size_t)left;
    left -= (long)count;
    return (ssize_t)count;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
    ssize_t fits = room(fd, count);
    return fits < 0 ? -1 : NEXT(write)(fd, bytes, (size_t)fits);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    ssize_t fits = room(fd, count);
    return fits < 0 ? -1 : NEXT(pwrite)(fd, bytes, (size_t)fits, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    ssize_t fits = room(fd, count);
    return fits < 0 ? -1 : NEXT(pwrite64)(fd, bytes, (size_t)fits, at);
}
static size_t total(const struct iovec *parts, int many) {
    size_t sum = 0;
    for (int i = 0; i < many; i++) sum += parts[i].iov_len;
    return sum;
}
/* Part of a vector is not written: the call fails or not as a whole. */
ssize_t pwritev(int fd, const struct iovec *parts, int many, off_t at) {
    return room(fd, total(parts, many)) < (ssize_t)total(parts, many) ? (errno = write_errno, -1) : NEXT(pwritev)(fd, parts, many, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int many, off64_t at) {
    return room(fd, total(parts, many)) < (ssize_t)total(parts, many) ? (errno = write_errno, -1) : NEXT(pwritev64)(fd, parts, many, at);
}
int fallocate(int fd, int mode, off_t at, off_t count) { return room(fd, 1) < 0 ? -1 : NEXT(fallocate)(fd, mode, at, count); }
int fallocate64(int fd, int mode, off64_t at, off64_t count) { return room(fd, 1) < 0 ? -1 : NEXT(fallocate64)(fd, mode, at, count); }
int posix_fallocate(int fd, off_t at, off_t count) { return room(fd, 1) < 0 ? errno : NEXT(posix_fallocate)(fd, at, count); }
int posix_fallocate64(int fd, off64_t at, off64_t count) { return room(fd, 1) < 0 ? errno : NEXT(posix_fallocate64)(fd, at, count); }

static int grows(int fd, off64_t size) {
    struct stat about;
    return !fstat(fd, &about) && size > about.st_size;
}
int ftruncate(int fd, off_t size) { return grows(fd, size) && room(fd, 1) < 0 ? -1 : NEXT(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return grows(fd, size) && room(fd, 1) < 0 ? -1 : NEXT(ftruncate64)(fd, size); }

static int cannot_sync(int fd) {
    look();
    if (!sync_errno || !is_meant(fd)) return 0;
    errno = sync_errno;
    return 1;
}
int fsync(int fd) { return cannot_sync(fd) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return cannot_sync(fd) ? -1 : NEXT(fdatasync)(fd); }

static int cannot_open(const char *path, int flags) {
    look();
    if (!open_errno || !*meant || !strstr(path, meant) || !(flags & (O_WRONLY | O_RDWR | O_CREAT))) return 0;
    errno = open_errno;
    return 1;
}
#define MODE(flags) mode_t mode = 0; if (flags & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }
int open(const char *path, int flags, ...) { MODE(flags) return cannot_open(path, flags) ? -1 : NEXT(open)(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return cannot_open(path, flags) ? -1 : NEXT(open64)(path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return cannot_open(path, flags) ? -1 : NEXT(openat)(at, path, flags, mode); }
int unlink(const char *path) {
    look();
    if (open_errno && *meant && strstr(path, meant)) { errno = open_errno; return -1; }
    return NEXT(unlink)(path);
}
