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

#include "CLinuxRuntime.h"
