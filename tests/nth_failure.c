/* The n-th change of a folder fails, once or from then on; or the process dies right after it.
 *
 * Preloaded. Nothing happens until nth_arm() is called (by ctypes, in the process under test). Counted are calls that
 * change what lies below one folder: open for writing, write, fsync, rename, link, mkdir, truncate, unlink, rmdir, and
 * close of what was open for writing. Calls that only read are counted when bit READS of `kinds` is set. What a rename
 * replaces is kept as LOG.old/N where there is such a folder, so that a rename may be taken back.
 *
 * nth_record() has every change that succeeds written down with its bytes, so that a loss of power can be played:
 * a line of call, path, other path, number, length, time of the file; then as many bytes as the length says.
 *
 * Made and preloaded by trials.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, WRITE = 2, SYNC = 4, RENAME = 8, LINK = 16, MKDIR = 32, TRUNC = 64, CLOSE = 128, UNLINK = 256, READS = 512 };
enum { ONCE = 0, FROM_THEN_ON = 1, SHORT = 2, SHORT_THEN_ERROR = 3, DIE_AFTER = 4 };

static char root[PATH_MAX], old_folder[PATH_MAX];
static size_t root_length;
static int armed, mode, error_number, kinds_counted, log_fd = -1, record_fd = -1;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER; /* of records: as that of the changes */
static long fail_at;
static atomic_long counted;
static atomic_int owed; /* SHORT_THEN_ERROR: the next write fails */

/* From nth_arm() on. */
int nth_record(const char *file) {
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    record_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD, 901);
    if (fd >= 0) syscall(SYS_close, fd);
    return record_fd;
}

int nth_arm(const char *folder, long n, int how, int error, int kinds, const char *log) {
    int fd;
    if (!realpath(folder, root)) return -1;
    root_length = strlen(root);
    fail_at = n, mode = how, error_number = error, kinds_counted = kinds;
    atomic_store(&counted, 0);
    atomic_store(&owed, 0);
    fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    snprintf(old_folder, sizeof old_folder, "%s.old", log);
    log_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD, 900);
    if (fd >= 0) syscall(SYS_close, fd);
    armed = 1;
    return log_fd;
}

long nth_disarm(void) {
    armed = 0;
    return atomic_load(&counted);
}

static int below(const char *path) {
    return !strncmp(path, root, root_length) && (path[root_length] == '/' || path[root_length] == 0);
}

static void join(char *full, const char *folder, const char *name) {
    size_t a = strlen(folder), b = strlen(name);
    full[0] = 0;
    if (a + b + 2 > PATH_MAX) return; /* longer than a path may be: not counted */
    memcpy(full, folder, a);
    if (a) full[a++] = '/';
    memcpy(full + a, name, b + 1);
}

/* Full name of what a call names: resolved as far as its folder exists. */
static int named(int at, const char *name, char *full) {
    char folder[PATH_MAX], joined[PATH_MAX * 2 + 2], link[64], *slash;
    ssize_t length;
    if (!name) return 0;
    if (name[0] == '/') snprintf(joined, sizeof joined, "%s", name);
    else {
        if (at == AT_FDCWD) { if (!getcwd(folder, sizeof folder)) return 0; }
        else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", at);
            if ((length = readlink(link, folder, sizeof folder - 1)) < 0) return 0;
            folder[length] = 0;
        }
        snprintf(joined, sizeof joined, "%s/%s", folder, name);
    }
    slash = strrchr(joined, '/');
    if (slash && slash != joined) {
        *slash = 0;
        if (realpath(joined, folder)) join(full, folder, slash + 1);
        else join(full, joined, slash + 1);
    } else join(full, "", joined);
    return below(full);
}

static int of_fd(int fd, char *full, int *writes) {
    char link[64];
    ssize_t length;
    int flags;
    if (fd == log_fd) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if ((length = readlink(link, full, PATH_MAX - 1)) < 0) return 0;
    full[length] = 0;
    if (!below(full)) return 0;
    flags = fcntl(fd, F_GETFL);
    *writes = (flags & O_ACCMODE) != O_RDONLY;
    return 1;
}

static void tell(long n, const char *call, const char *path, const char *other, const char *what) {
    char line[PATH_MAX * 2 + 128];
    int length;
    if (log_fd < 0) return;
    length = snprintf(line, sizeof line, "%ld\t%s\t%s\t%s\t%s\n", n, call, path, other ? other : "", what);
    if (length > 0) syscall(SYS_write, log_fd, line, (size_t)length);
}

static void hold(void) { if (record_fd >= 0) pthread_mutex_lock(&order); }
static void let_go(void) { if (record_fd >= 0) pthread_mutex_unlock(&order); }

static void record(const char *call, const char *path, const char *other, long long number, const void *data, size_t length) {
    char line[PATH_MAX * 2 + 128];
    struct stat now;
    long long time = -1;
    int said;
    if (!armed || record_fd < 0 || !below(path)) return;
    if (!lstat(path, &now)) time = now.st_mtim.tv_sec * 1000000000LL + now.st_mtim.tv_nsec;
    said = snprintf(line, sizeof line, "%s\t%s\t%s\t%lld\t%zu\t%lld\n", call, path, other, number, length, time);
    if (said > 0) syscall(SYS_write, record_fd, line, (size_t)said);
    for (ssize_t done; length; data = (const char *)data + done, length -= (size_t)done)
        if ((done = syscall(SYS_write, record_fd, data, length)) <= 0) break;
}

/* 0: goes ahead; 1: fails; 2: a short write; 3: goes ahead, then the process dies. */
static int verdict(int kind, const char *call, const char *path, const char *other) {
    long n;
    int fate = 0;
    if (!armed || !(kinds_counted & kind)) return 0;
    n = atomic_fetch_add(&counted, 1) + 1;
    if (kind == WRITE && atomic_exchange(&owed, 0)) fate = 1;
    else if (n == fail_at) {
        if (mode == ONCE || mode == FROM_THEN_ON) fate = 1;
        else if (mode == DIE_AFTER) fate = 3;
        else if (kind == WRITE) {
            fate = 2;
            if (mode == SHORT_THEN_ERROR) atomic_store(&owed, 1);
        }
    } else if (mode == FROM_THEN_ON && fail_at > 0 && n > fail_at && kind != UNLINK && kind != CLOSE) fate = 1;
    tell(n, call, path, other, fate == 0 ? "" : fate == 1 ? "FAILED" : fate == 2 ? "SHORT" : "DIED");
    return fate;
}

static void die(void) { syscall(SYS_kill, getpid(), SIGKILL); }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(value) do { errno = error_number; return value; } while (0)

static int opened(int at, const char *name, int flags, mode_t bits) {
    char full[PATH_MAX] = "";
    int fd, fate = 0, writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
    if (armed && (flags & O_TMPFILE) != O_TMPFILE && named(at, name, full)) {
        if (writes) fate = verdict(OPEN, flags & O_TRUNC ? "open(trunc)" : "open(write)", full, NULL);
        else fate = verdict(READS, "open(read)", full, NULL);
    }
    if (fate == 1) FAIL(-1);
    hold();
    fd = (int)syscall(SYS_openat, at, name, flags, bits);
    if (fd >= 0 && writes) record("open", full, "", (flags & O_TRUNC) != 0, NULL, 0);
    let_go();
    if (fate == 3) die();
    return fd;
}

#define WITH_BITS mode_t bits = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); bits = va_arg(more, mode_t); va_end(more); }
int open(const char *name, int flags, ...) { WITH_BITS return opened(AT_FDCWD, name, flags, bits); }
int open64(const char *name, int flags, ...) { WITH_BITS return opened(AT_FDCWD, name, flags, bits); }
int openat(int at, const char *name, int flags, ...) { WITH_BITS return opened(at, name, flags, bits); }
int openat64(int at, const char *name, int flags, ...) { WITH_BITS return opened(at, name, flags, bits); }
int creat(const char *name, mode_t bits) { return opened(AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, bits); }

ssize_t write(int fd, const void *from, size_t count) {
    char full[PATH_MAX] = "";
    int writes, fate = 0;
    ssize_t done;
    if (armed && of_fd(fd, full, &writes)) fate = verdict(WRITE, "write", full, NULL);
    if (fate == 1) FAIL(-1);
    hold();
    done = syscall(SYS_write, fd, from, fate == 2 && count > 1 ? count / 2 : count);
    if (done > 0) record("write", full, "", lseek(fd, 0, SEEK_CUR) - done, from, (size_t)done);
    let_go();
    if (fate == 3) die();
    return done;
}

ssize_t pwrite(int fd, const void *from, size_t count, off_t at) {
    char full[PATH_MAX] = "";
    int writes, fate = 0;
    ssize_t done;
    if (armed && of_fd(fd, full, &writes)) fate = verdict(WRITE, "pwrite", full, NULL);
    if (fate == 1) FAIL(-1);
    hold();
    done = syscall(SYS_pwrite64, fd, from, fate == 2 && count > 1 ? count / 2 : count, at);
    if (done > 0) record("write", full, "", at, from, (size_t)done);
    let_go();
    if (fate == 3) die();
    return done;
}
ssize_t pwrite64(int fd, const void *from, size_t count, off_t at) { return pwrite(fd, from, count, at); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    char full[PATH_MAX] = "";
    int writes, fate = 0;
    ssize_t done;
    off_t at;
    if (armed && of_fd(fd, full, &writes)) fate = verdict(WRITE, "writev", full, NULL);
    if (fate == 1) FAIL(-1);
    hold();
    done = syscall(SYS_writev, fd, parts, fate == 2 && count > 1 ? 1 : count);
    at = lseek(fd, 0, SEEK_CUR) - done;
    for (ssize_t left = done, part; left > 0; left -= part, at += part, parts++) {
        part = left < (ssize_t)parts->iov_len ? left : (ssize_t)parts->iov_len;
        record("write", full, "", at, parts->iov_base, (size_t)part);
    }
    let_go();
    return done;
}

static int synced(int fd, const char *call, int number) {
    char full[PATH_MAX] = "";
    int writes, fate = 0, done;
    if (armed && of_fd(fd, full, &writes)) fate = verdict(SYNC, call, full, NULL);
    if (fate == 1) FAIL(-1);
    hold();
    done = (int)syscall(number, fd);
    if (!done) record("sync", full, "", 0, NULL, 0);
    let_go();
    if (fate == 3) die();
    return done;
}
int fsync(int fd) { return synced(fd, "fsync", SYS_fsync); }
int fdatasync(int fd) { return synced(fd, "fdatasync", SYS_fdatasync); }

static int truncated(int fd, off_t length) {
    char full[PATH_MAX] = "";
    int writes, fate = 0, done;
    if (armed && of_fd(fd, full, &writes)) fate = verdict(TRUNC, "ftruncate", full, NULL);
    if (fate == 1) FAIL(-1);
    hold();
    done = (int)syscall(SYS_ftruncate, fd, length);
    if (!done) record("truncate", full, "", length, NULL, 0);
    let_go();
    return done;
}
int ftruncate(int fd, off_t length) { return truncated(fd, length); }
int ftruncate64(int fd, off_t length) { return truncated(fd, length); }

static int renamed(int a, const char *from, int b, const char *to, unsigned flags) {
    char old[PATH_MAX] = "", new[PATH_MAX] = "";
    int fate = 0, done;
    if (armed) {
        named(a, from, old);
        if (named(b, to, new)) fate = verdict(RENAME, "rename", new, old);
    }
    if (fate == 1) FAIL(-1);
    if (armed && mode == DIE_AFTER) {
        char kept[PATH_MAX + 32];
        snprintf(kept, sizeof kept, "%s/%ld", old_folder, atomic_load(&counted));
        syscall(SYS_linkat, b, to, AT_FDCWD, kept, 0);
    }
    hold();
    done = (int)syscall(SYS_renameat2, a, from, b, to, flags);
    if (!done) record("rename", new, old, 0, NULL, 0);
    let_go();
    if (fate == 3) die();
    return done;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return renamed(a, from, b, to, flags); }

static int linked(int a, const char *from, int b, const char *to, int flags) {
    char full[PATH_MAX];
    if (armed && named(b, to, full) && verdict(LINK, "link", full, from) == 1) FAIL(-1);
    return (int)syscall(SYS_linkat, a, from, b, to, flags);
}
int link(const char *from, const char *to) { return linked(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return linked(a, from, b, to, flags); }
int symlink(const char *from, const char *to) {
    char full[PATH_MAX];
    if (armed && named(AT_FDCWD, to, full) && verdict(LINK, "symlink", full, from) == 1) FAIL(-1);
    return (int)syscall(SYS_symlinkat, from, AT_FDCWD, to);
}

static int made(int at, const char *name, mode_t bits) {
    char full[PATH_MAX] = "";
    int done;
    if (armed && named(at, name, full) && verdict(MKDIR, "mkdir", full, NULL) == 1) FAIL(-1);
    hold();
    done = (int)syscall(SYS_mkdirat, at, name, bits);
    if (!done) record("mkdir", full, "", 0, NULL, 0);
    let_go();
    return done;
}
int mkdir(const char *name, mode_t bits) { return made(AT_FDCWD, name, bits); }
int mkdirat(int at, const char *name, mode_t bits) { return made(at, name, bits); }

static int gone(int at, const char *name, int flags) {
    char full[PATH_MAX] = "";
    int fate = 0, done;
    if (armed && named(at, name, full)) fate = verdict(UNLINK, flags ? "rmdir" : "unlink", full, NULL);
    if (fate == 1) FAIL(-1);
    hold();
    done = (int)syscall(SYS_unlinkat, at, name, flags);
    if (!done) record("unlink", full, "", 0, NULL, 0);
    let_go();
    if (fate == 3) die();
    return done;
}
int unlink(const char *name) { return gone(AT_FDCWD, name, 0); }
int unlinkat(int at, const char *name, int flags) { return gone(at, name, flags); }
int rmdir(const char *name) { return gone(AT_FDCWD, name, AT_REMOVEDIR); }

/* As the system: the descriptor is gone even when close fails. */
int close(int fd) {
    char full[PATH_MAX];
    int writes, fate = 0;
    if (armed && of_fd(fd, full, &writes) && writes) fate = verdict(CLOSE, "close", full, NULL);
    syscall(SYS_close, fd);
    if (fate == 1) FAIL(-1);
    return 0;
}

ssize_t read(int fd, void *to, size_t count) {
    char full[PATH_MAX];
    int writes;
    if (armed && (kinds_counted & READS) && of_fd(fd, full, &writes) && verdict(READS, "read", full, NULL) == 1) FAIL(-1);
    return syscall(SYS_read, fd, to, count);
}
