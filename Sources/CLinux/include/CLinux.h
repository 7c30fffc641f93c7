#pragma once
// What Swift on Linux cannot see by itself: system calls without a glibc wrapper and the headers that glibc's
// module map leaves out. Wrappers only: no logic.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/fs.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <net/if.h>

static inline int swc_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}
static inline int swc_pidfd_open(pid_t pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }
static inline int swc_pidfd_send_signal(int pidfd, int sig) { return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0); }
static inline int swc_close_range(unsigned first, unsigned last, unsigned flags) { return (int)syscall(SYS_close_range, first, last, flags); }
static inline int swc_memfd_create(const char *name, unsigned flags) { return (int)syscall(SYS_memfd_create, name, flags); }
static inline int swc_pivot_root(const char *new_root, const char *put_old) { return (int)syscall(SYS_pivot_root, new_root, put_old); }
static inline int swc_capset(struct __user_cap_header_struct *h, struct __user_cap_data_struct *d) { return (int)syscall(SYS_capset, h, d); }
static inline int swc_capget(struct __user_cap_header_struct *h, struct __user_cap_data_struct *d) { return (int)syscall(SYS_capget, h, d); }
static inline long swc_keyctl_join(const char *name) { return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0); }
static inline long swc_clone3(struct clone_args *args, size_t size) { return syscall(SYS_clone3, args, size); }
static inline int swc_seccomp(unsigned op, unsigned flags, void *args) { return (int)syscall(SYS_seccomp, op, flags, args); }
static inline int swc_renameat2(int od, const char *op, int nd, const char *np, unsigned flags) { return (int)syscall(SYS_renameat2, od, op, nd, np, flags); }

// The mount API of Linux 5.2 and later.
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#define MOVE_MOUNT_T_EMPTY_PATH 0x00000040
#endif
static inline int swc_open_tree(int dir, const char *path, unsigned flags) { return (int)syscall(SYS_open_tree, dir, path, flags); }
static inline int swc_move_mount(int fd, const char *fp, int td, const char *tp, unsigned flags) { return (int)syscall(SYS_move_mount, fd, fp, td, tp, flags); }
static inline int swc_fsopen(const char *fs, unsigned flags) { return (int)syscall(SYS_fsopen, fs, flags); }
static inline int swc_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux) { return (int)syscall(SYS_fsconfig, fd, cmd, key, value, aux); }
static inline int swc_fsmount(int fd, unsigned flags, unsigned attr) { return (int)syscall(SYS_fsmount, fd, flags, attr); }
static inline int swc_mount_setattr(int dir, const char *path, unsigned flags, uint64_t set, uint64_t clr, uint64_t propagation) {
    struct { uint64_t attr_set, attr_clr, propagation, userns_fd; } attr = {set, clr, propagation, 0};
    return (int)syscall(SYS_mount_setattr, dir, path, flags, &attr, sizeof attr);
}

// Macros that Swift cannot import.
static inline int swc_wifexited(int s) { return WIFEXITED(s); }
static inline int swc_wexitstatus(int s) { return WEXITSTATUS(s); }
static inline int swc_wifsignaled(int s) { return WIFSIGNALED(s); }
static inline int swc_wtermsig(int s) { return WTERMSIG(s); }
static inline dev_t swc_makedev(unsigned major, unsigned minor) { return makedev(major, minor); }
static inline unsigned swc_major(dev_t d) { return major(d); }
static inline unsigned swc_minor(dev_t d) { return minor(d); }
static inline int swc_errno(void) { return errno; }
static inline void swc_set_errno(int e) { errno = e; }
static inline int swc_ioctl_int(int fd, unsigned long req, int arg) { return ioctl(fd, req, arg); }
static inline int swc_ioctl_ptr(int fd, unsigned long req, void *arg) { return ioctl(fd, req, arg); }
static inline int swc_open(const char *p, int flags, unsigned mode) { return open(p, flags, mode); }
static inline int swc_openat(int d, const char *p, int flags, unsigned mode) { return openat(d, p, flags, mode); }
static inline int swc_fcntl_int(int fd, int cmd, int arg) { return fcntl(fd, cmd, arg); }
static inline int swc_prctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d) { return prctl(op, a, b, c, d); }

// One descriptor beside the bytes of a message. `fd` < 0 sends none.
static inline ssize_t swc_send_fd(int sock, const void *data, size_t length, int fd, int flags) {
    struct iovec iov = {.iov_base = (void *)data, .iov_len = length};
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = sizeof control.space;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(sock, &message, flags | MSG_NOSIGNAL);
}
// `fd` gets the descriptor that came with it (close-on-exec), or -1.
static inline ssize_t swc_receive_fd(int sock, void *data, size_t length, int *fd, int flags) {
    struct iovec iov = {.iov_base = data, .iov_len = length};
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
    *fd = -1;
    ssize_t n = recvmsg(sock, &message, flags | MSG_CMSG_CLOEXEC);
    if (n >= 0) {
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(fd, CMSG_DATA(c), sizeof *fd);
    }
    return n;
}
// The kernel's answer as it is: glibc's getcwd turns "(unreachable)" into ENOENT or walks the tree by itself.
static inline long swc_getcwd(char *buffer, size_t size) { return syscall(SYS_getcwd, buffer, size); }
static inline int swc_lock_pty(int master, int locked) { return ioctl(master, TIOCSPTLCK, &locked); }
static inline int swc_open_pty_peer(int master, int flags) { return ioctl(master, TIOCGPTPEER, flags); }
static inline int swc_bind_unix(int sock, const struct sockaddr_un *address) { return bind(sock, (const struct sockaddr *)address, sizeof *address); }
static inline int swc_connect_unix(int sock, const struct sockaddr_un *address) { return connect(sock, (const struct sockaddr *)address, sizeof *address); }
static inline int swc_unix_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) { errno = ENAMETOOLONG; return -1; }
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    return 0;
}
// The peer's uid of a Unix socket, or -1.
static inline long swc_peer_uid(int sock) {
    struct ucred peer; socklen_t size = sizeof peer;
    return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) ? -1 : (long)peer.uid;
}
static inline int swc_sigaction_ignore(int sig) { return signal(sig, SIG_IGN) == SIG_ERR ? -1 : 0; }
static inline int swc_sigaction_default(int sig) { return signal(sig, SIG_DFL) == SIG_ERR ? -1 : 0; }
static inline char **swc_environment(void) { return environ; }
static inline int swc_accept(int sock, int flags) { return accept4(sock, NULL, NULL, flags); }
static inline int swc_pipe(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return -1;
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}
static inline int swc_packet_pair(int *first, int *second) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) return -1;
    *first = ends[0];
    *second = ends[1];
    return 0;
}
// Lets go of the pages of a static executable's code; what runs on is read again from the page cache.
extern char __executable_start[], etext[];
static inline int swc_release_code(void) {
    uintptr_t first = (uintptr_t)__executable_start & ~(uintptr_t)4095, last = (uintptr_t)etext & ~(uintptr_t)4095;
    return madvise((void *)first, last - first, MADV_DONTNEED);
}

#include "CLinuxRuntime.h"
