/* Makes one system call of a program fail, fall short, or be its last; or changes the file that it
   is about. Preloaded by tests/faults/inject.rs.

   The calls are trapped by the kernel (seccomp), not by functions of the C library: some code asks
   the kernel directly. A call that is left alone is made from here, by the one instruction that the
   kernel does not trap.

   The environment says what happens:
     INJECT_KIND    the kind of calls, a name of `kinds`
     INJECT_UNDER   the beginning of the absolute paths, or of what /proc/self/fd shows, that count
     INJECT_AT      which of these calls it happens to, from 1; with a `+`, to all from there on
     INJECT_EFFECT  errno:N, short:N (N bytes; 0: half of them), kill, shrink, grow, touch, replace
                    (by the file of that name with `.new` behind it)
     INJECT_BEHIND  if set, it happens behind the call, which is made first
     INJECT_HITS    a file to which the path is added whenever it happens
   A program that cannot be trapped here ends with exit code 77. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

long raw(long number, long a, long b, long c, long d, long e, long f);
extern char raw_end[];

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define ARG(n) (uc->uc_mcontext.gregs[(int[]){REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9}[n]])
#define RESULT (uc->uc_mcontext.gregs[REG_RAX])
__asm__(".text\n.globl raw\n.globl raw_end\nraw:\n"
        "mov %rdi,%rax\nmov %rsi,%rdi\nmov %rdx,%rsi\nmov %rcx,%rdx\nmov %r8,%r10\nmov %r9,%r8\n"
        "mov 8(%rsp),%r9\nsyscall\nraw_end:\nret\n");
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#define ARG(n) (uc->uc_mcontext.regs[n])
#define RESULT (uc->uc_mcontext.regs[0])
__asm__(".text\n.globl raw\n.globl raw_end\nraw:\n"
        "mov x8,x0\nmov x0,x1\nmov x1,x2\nmov x2,x3\nmov x3,x4\nmov x4,x5\nmov x5,x6\n"
        "svc 0\nraw_end:\nret\n");
#else
#error "the registers of this CPU are not known here"
#endif

/* Where a call says which file it is about: in this argument, as a descriptor, as a path, or as a
   path that may be empty, with the descriptor before it. */
enum place { FD, PATH, AT };

static const struct call {
    const char *kind;
    long number;
    enum place place;
    int argument;
} calls[] = {
    {"read", SYS_read, FD, 0},
    {"read", SYS_pread64, FD, 0},
    {"read", SYS_readv, FD, 0},
    {"read", SYS_preadv, FD, 0},
    {"open", SYS_openat, AT, 1},
    {"stat", SYS_fstat, FD, 0},
    {"stat", SYS_newfstatat, AT, 1},
    {"stat", SYS_statx, AT, 1},
    {"list", SYS_getdents64, FD, 0},
    {"map", SYS_mmap, FD, 4},
    {"seek", SYS_lseek, FD, 0},
    {"write", SYS_write, FD, 0},
    {"write", SYS_pwrite64, FD, 0},
    {"write", SYS_writev, FD, 0},
    {"write", SYS_pwritev, FD, 0},
    {"sync", SYS_fsync, FD, 0},
    {"sync", SYS_fdatasync, FD, 0},
    {"rename", SYS_renameat, AT, 1},
    {"rename", SYS_renameat2, AT, 1},
    {"rename", SYS_linkat, AT, 1},
    {"close", SYS_close, FD, 0},
    {"lock", SYS_flock, FD, 0},
    {"mode", SYS_fchmod, FD, 0},
    {"make", SYS_mkdirat, AT, 1},
    {"remove", SYS_unlinkat, AT, 1},
#if defined(__x86_64__)
    {"open", SYS_open, PATH, 0},
    {"open", SYS_creat, PATH, 0},
    {"stat", SYS_stat, PATH, 0},
    {"stat", SYS_lstat, PATH, 0},
    {"rename", SYS_rename, PATH, 0},
    {"rename", SYS_link, PATH, 0},
    {"make", SYS_mkdir, PATH, 0},
    {"remove", SYS_unlink, PATH, 0},
    {"remove", SYS_rmdir, PATH, 0},
#endif
};
enum { CALLS = sizeof calls / sizeof *calls };

static const char *kind, *under, *effect, *hits;
static char here[4096];
static long at, count;
static int is_lasting, is_behind;

/* Writes which file a call is about, as an absolute path. */
static void name(const struct call *call, const ucontext_t *uc, char *path, size_t size) {
    const char *given = call->place == FD ? "" : (const char *)ARG(call->argument);
    /* The standard library asks for nothing to see whether the kernel knows the call. */
    if (given == NULL) return;
    if (given[0] == '/') {
        strncpy(path, given, size - 1);
    } else if (given[0] != 0) {
        /* Nothing that is tested names files below an open directory, but for the removal of trees. */
        strncpy(path, here, size - 1);
        strncat(path, "/", size - 1 - strlen(path));
        strncat(path, given, size - 1 - strlen(path));
    } else {
        long fd = call->place == FD ? ARG(call->argument) : ARG(call->argument - 1);
        char link[64] = "/proc/self/fd/", digits[24];
        int length = 0, used = sizeof "/proc/self/fd/" - 1;
        if ((int)fd < 0) return;
        do digits[length++] = '0' + fd % 10; while ((fd /= 10) > 0);
        while (length > 0) link[used++] = digits[--length];
        long got = raw(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, size - 1, 0, 0);
        path[got < 0 ? 0 : got] = 0;
    }
}

static int is_directory(long fd) {
    struct stat found;
    return raw(SYS_fstat, fd, (long)&found, 0, 0, 0, 0) == 0 && S_ISDIR(found.st_mode);
}

static long open_raw(const char *path, int flags) {
    return raw(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC, 0600, 0, 0);
}

/* Does to a file what another program might. */
static void change(const char *path) {
    char new[4096 + 8];
    long fd = open_raw(path, O_RDWR);
    if (fd < 0) return;
    if (strcmp(effect, "shrink") == 0) {
        long length = raw(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0);
        raw(SYS_ftruncate, fd, length / 2, 0, 0, 0, 0);
    } else if (strcmp(effect, "grow") == 0) {
        raw(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0);
        raw(SYS_write, fd, (long)"\n\n", 2, 0, 0, 0);
    } else if (strcmp(effect, "touch") == 0) {
        raw(SYS_utimensat, fd, 0, 0, 0, 0, 0);
    } else if (strcmp(effect, "replace") == 0) {
        strcpy(new, path);
        strcat(new, ".new");
        raw(SYS_renameat2, AT_FDCWD, (long)new, AT_FDCWD, (long)path, 0, 0);
    }
    raw(SYS_close, fd, 0, 0, 0, 0, 0);
}

static void trap(int signal, siginfo_t *info, void *context) {
    (void)signal;
    ucontext_t *uc = context;
    char path[4096] = "";
    const struct call *call = calls;
    /* Every trapped call is in the table. */
    while (call->number != info->si_syscall || strcmp(call->kind, kind) != 0) call++;
    name(call, uc, path, sizeof path);
    long a[6] = {ARG(0), ARG(1), ARG(2), ARG(3), ARG(4), ARG(5)}, result = 0;
    int is_hit = 0;
    int is_ours = strncmp(path, under, strlen(under)) == 0;
    /* Linux has no way to fail at closing a directory. */
    if (strcmp(kind, "close") == 0 && is_directory(a[0])) is_ours = 0;
    if (is_ours) {
        long number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
        is_hit = number == at || (is_lasting && number > at);
    }
    if (is_hit) {
        long fd = open_raw(hits, O_WRONLY | O_APPEND | O_CREAT);
        size_t length = strlen(path);
        char line[4096 + 1];
        memcpy(line, path, length);
        line[length] = '\n';
        raw(SYS_write, fd, (long)line, length + 1, 0, 0, 0);
        raw(SYS_close, fd, 0, 0, 0, 0, 0);
    }
    if (is_hit && is_behind) result = raw(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    int is_made = is_hit && is_behind;
    if (is_hit && strncmp(effect, "errno:", 6) == 0) {
        /* A descriptor is gone whatever closing it says. */
        if (strcmp(kind, "close") == 0) raw(SYS_close, a[0], 0, 0, 0, 0, 0);
        result = -atol(effect + 6);
        is_made = 1;
    } else if (is_hit && strncmp(effect, "short:", 6) == 0) {
        long most = atol(effect + 6);
        if (call->number == SYS_readv || call->number == SYS_writev) {
            a[2] = 1;
        } else if (a[2] > 1) {
            a[2] = most > 0 && most < a[2] ? most : (a[2] + 1) / 2;
        }
    } else if (is_hit && strcmp(effect, "kill") == 0) {
        raw(SYS_kill, raw(SYS_getpid, 0, 0, 0, 0, 0, 0), SIGKILL, 0, 0, 0, 0);
    } else if (is_hit) {
        change(path);
    }
    if (!is_made) result = raw(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    RESULT = result;
}

static struct sock_filter filter[2 * CALLS + 16];
static unsigned short length;

static void add(unsigned short code, unsigned jump_if, unsigned jump_else, unsigned k) {
    filter[length++] = (struct sock_filter){code, (unsigned char)jump_if, (unsigned char)jump_else, k};
}

static void load(size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset); }

static void allow(void) { add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW); }

__attribute__((constructor)) static void begin(void) {
    kind = getenv("INJECT_KIND");
    under = getenv("INJECT_UNDER");
    effect = getenv("INJECT_EFFECT");
    hits = getenv("INJECT_HITS");
    const char *when = getenv("INJECT_AT");
    if (!kind || !under || !effect || !hits || !when) return;
    at = atol(when);
    is_lasting = strchr(when, '+') != NULL;
    is_behind = getenv("INJECT_BEHIND") != NULL;
    if (!getcwd(here, sizeof here)) _exit(77);
    uintptr_t end = (uintptr_t)raw_end;
    load(offsetof(struct seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
    allow();
    /* Both machines have their low bytes first. */
    load(offsetof(struct seccomp_data, instruction_pointer));
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, (unsigned)end);
    load(offsetof(struct seccomp_data, instruction_pointer) + 4);
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)(end >> 32));
    allow();
    if (strcmp(kind, "map") == 0) {
        /* Memory without a file is wanted while signals are blocked. */
        load(offsetof(struct seccomp_data, args[4]));
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0xffffffff);
        allow();
    }
    load(offsetof(struct seccomp_data, nr));
    for (int i = 0; i < CALLS; i++) {
        if (strcmp(calls[i].kind, kind) != 0) continue;
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)calls[i].number);
        add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRAP);
    }
    allow();
    struct sigaction action = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sock_fprog program = {length, filter};
    if (sigaction(SIGSYS, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(77);
}
