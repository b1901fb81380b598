/* Faults that a test wants of the system, preloaded into a process: reads that fail, and a clock that jumps.
 *
 * FAULT_READS   a folder: while it holds an entry called as a file is, reads that begin in that file's second half
 *               fail with EIO.
 * FAULT_MOST    only those that ask for at most so many bytes: FFmpeg asks for 32 KiB, a digest for more.
 * FAULT_CLOCK   a file that holds the seconds by which the time of day is wrong. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int fails(int fd, size_t count, off_t at) {
    const char *folder = getenv("FAULT_READS"), *most = getenv("FAULT_MOST"), *name;
    char link[64], path[4096], lever[8192];
    struct stat file;
    ssize_t length;
    if (!folder || (most && (long)count > atol(most)) || fstat(fd, &file) || !S_ISREG(file.st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    name = strrchr(path, '/');
    snprintf(lever, sizeof lever, "%s%s", folder, name ? name : "/");
    if (access(lever, F_OK)) return 0;
    return (at < 0 ? lseek(fd, 0, SEEK_CUR) : at) >= file.st_size / 2;
}

ssize_t read(int fd, void *to, size_t count) {
    if (fails(fd, count, -1)) { errno = EIO; return -1; }
    return syscall(SYS_read, fd, to, count);
}

ssize_t pread(int fd, void *to, size_t count, off_t at) {
    if (fails(fd, count, at)) { errno = EIO; return -1; }
    return syscall(SYS_pread64, fd, to, count, at);
}

ssize_t pread64(int fd, void *to, size_t count, off_t at) { return pread(fd, to, count, at); }

static long wrong(void) {
    const char *name = getenv("FAULT_CLOCK");
    char text[32] = "";
    int fd = name ? (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY) : -1;
    if (fd < 0) return 0;
    syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += wrong();
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to) *to = now.tv_sec;
    return now.tv_sec;
}
