/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lists are short because the roles are: see them as the documentation of
 * what a role does. A call that is not on the list fails with EPERM and does
 * not kill, so that a library that tries something and does without goes on.
 */
#include "sensor/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/sockios.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sensor/harden.h"

#if defined(__SANITIZE_ADDRESS__)
#define OFF true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OFF true
#endif
#endif
#ifndef OFF
#define OFF false
#endif

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CALL(name) SCMP_SYS(name)

static const int all_roles[] = {CALL(read), CALL(write), CALL(close),
    CALL(poll), CALL(ppoll), CALL(recvfrom), CALL(recvmsg), CALL(sendto),
    CALL(sendmsg), CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise),
    CALL(futex), CALL(clock_gettime), CALL(gettimeofday), CALL(time),
    CALL(clock_nanosleep), CALL(nanosleep), CALL(rt_sigreturn),
    CALL(rt_sigprocmask), CALL(rt_sigaction), CALL(sigaltstack),
    CALL(restart_syscall), CALL(exit), CALL(exit_group), CALL(getrandom),
    CALL(getpid), CALL(getppid), CALL(gettid), CALL(tgkill), CALL(getrusage),
    CALL(sched_yield)};
/* SQLite in WAL mode, and files of the feed */
static const int judge_calls[] = {CALL(openat), CALL(open), CALL(lseek),
    CALL(pread64), CALL(pwrite64), CALL(readv), CALL(writev), CALL(fsync),
    CALL(fdatasync), CALL(ftruncate), CALL(fallocate), CALL(fcntl), CALL(fstat),
    CALL(stat), CALL(lstat), CALL(newfstatat), CALL(statx), CALL(access),
    CALL(faccessat), CALL(unlink), CALL(unlinkat), CALL(rename), CALL(renameat),
    CALL(renameat2), CALL(mkdir), CALL(getcwd), CALL(geteuid), CALL(getuid),
    CALL(readlink), CALL(readlinkat), CALL(fchmod), CALL(fchown), CALL(umask),
    CALL(sysinfo), CALL(fstatfs), CALL(statfs), CALL(uname), CALL(dup2)};
static const int reader_calls[] = {CALL(openat), CALL(open), CALL(lseek),
    CALL(fcntl), CALL(fstat), CALL(stat), CALL(lstat), CALL(newfstatat),
    CALL(statx), CALL(getdents64), CALL(pread64), CALL(readv), CALL(sysinfo),
    CALL(fadvise64)};
/* Beside those of the judge: connections, names (getaddrinfo(3)), threads. */
static const int feeds_calls[] = {CALL(connect), CALL(bind), CALL(shutdown),
    CALL(setsockopt), CALL(getsockopt), CALL(getsockname), CALL(getpeername),
    CALL(sendmmsg), CALL(recvmmsg), CALL(pipe2), CALL(eventfd2),
    CALL(set_robust_list), CALL(rseq), CALL(sched_getaffinity),
    CALL(getdents64), CALL(getegid), CALL(getgid), CALL(epoll_create1),
    CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait), CALL(clock_getres)};
/* libpcap asks for statistics, and why there is nothing to read */
static const int worker_calls[] = {CALL(getsockopt)};

bool
sandbox_is_off(void)
{
	return OFF;
}

int
sandbox_find_user(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		return -1;
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

int
sandbox_choose_user(
    struct sandbox *s, const char *name, char *err, size_t errlen)
{
	if (geteuid() != 0)
		return 0; /* whoever we are, children have no privileges */
	s->change_user = true;
	if (name[0] != '\0') {
		if (sandbox_find_user(name, &s->uid, &s->gid) == 0)
			return 0;
		(void)snprintf(
		    err, errlen, "run.user: there is no user '%s'", name);
		return -1;
	}
	if (sandbox_find_user("stripwire", &s->uid, &s->gid) == 0 ||
	    sandbox_find_user("nobody", &s->uid, &s->gid) == 0)
		return 0;
	(void)snprintf(err, errlen,
	    "there is neither a user stripwire nor nobody to become: set "
	    "run.user");
	return -1;
}

char *
sandbox_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/")
			     : strndup(path, (size_t)(slash - path));
}

static bool files_are_locked; /* the kernel can */

static int
fail(char *err, size_t errlen, const char *what)
{
	(void)snprintf(err, errlen, "sandbox: %s: %s", what, strerror(errno));
	return -1;
}

static int
drop_capabilities(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return (int)syscall(SYS_capset, &h, none);
}

int
sandbox_user(const struct sandbox *s, char *err, size_t errlen)
{
	if (s->change_user) {
		if (setgroups(0, NULL) == -1 ||
		    setresgid(s->gid, s->gid, s->gid) == -1 ||
		    setresuid(s->uid, s->uid, s->uid) == -1)
			return fail(err, errlen, "cannot change the user");
	}
	if (drop_capabilities() == -1)
		return fail(err, errlen, "cannot drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return fail(err, errlen, "no_new_privs");
	/* a change of user makes it dumpable again */
	return harden_process(err, errlen);
}

/* ---- Landlock (linux/landlock.h; missing in older kernels) ---- */

#define FILES                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |        \
	    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |     \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |     \
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |   \
	    LANDLOCK_ACCESS_FS_MAKE_SYM)

static int
allow_folder(int rules, const char *path, uint64_t what)
{
	struct landlock_path_beneath_attr a = {.allowed_access = what};
	int status;

	a.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (a.parent_fd == -1)
		return -1;
	status = (int)syscall(
	    SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
	(void)close(a.parent_fd);
	return status;
}

static int
allow_reading(int rules, const char *path)
{
	struct stat st;
	uint64_t what = LANDLOCK_ACCESS_FS_READ_FILE;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		what |= LANDLOCK_ACCESS_FS_READ_DIR;
	return allow_folder(rules, path, what) == -1 && errno != ENOENT ? -1
									: 0;
}

static int
allow_listed(const struct sandbox *s, int rules)
{
	for (unsigned i = 0; i < s->nreadable; i++)
		if (allow_reading(rules, s->readable[i]) == -1)
			return -1;
	return 0;
}

/* What name resolution and certificates of the system take; of /etc what
 * everybody may read. What is not there is not missed. */
static int
allow_names(const struct sandbox *s, int rules)
{
	static const char *const folder[] = {"/etc",
	    "/usr/share/ca-certificates", "/usr/lib/ssl",
	    "/run/systemd/resolve", "/usr/share/zoneinfo"};

	for (unsigned i = 0; i < COUNT(folder); i++)
		if (allow_reading(rules, folder[i]) == -1)
			return -1;
	return allow_listed(s, rules);
}

/* All files, unless they are named. */
static int
allow_captures(const struct sandbox *s, int rules)
{
	if (s->nreadable > 0)
		return allow_listed(s, rules);
	return allow_folder(rules, "/",
	    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
}

static int
lock_files(const struct sandbox *s, char *err, size_t errlen)
{
	const struct landlock_ruleset_attr attr = {.handled_access_fs = FILES};
	const uint64_t own =
	    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
	    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
	    LANDLOCK_ACCESS_FS_MAKE_REG;
	int rules =
	    (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int status = 0;

	if (rules == -1)
		return errno == ENOSYS || errno == EOPNOTSUPP
			   ? 0
			   : fail(err, errlen, "Landlock");
	if (s->role == SANDBOX_READER)
		status = allow_captures(s, rules);
	if (s->role == SANDBOX_FEEDS)
		status = allow_names(s, rules);
	for (unsigned i = 0; i < s->nfolders && status == 0; i++) {
		status = allow_folder(rules, s->folder[i], own);
		if (status == -1 && s->role == SANDBOX_FEEDS && errno == ENOENT)
			status = 0; /* that feed says so */
	}
	if (status == 0)
		status = (int)syscall(SYS_landlock_restrict_self, rules, 0);
	files_are_locked = status == 0;
	if (status == -1)
		(void)fail(err, errlen, "Landlock");
	(void)close(rules);
	return status;
}

/* ---- seccomp ---- */

static int
allow(scmp_filter_ctx f, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0) != 0)
			return -1;
	return 0;
}

/* Memory, but none that can be run. */
static int
allow_memory(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp no_exec =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

	if (seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(mmap), 1, no_exec) != 0)
		return -1;
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(mprotect), 1, no_exec);
}

/* Sockets of the families that feeds and names need, and threads but no
 * processes: clone3(2) hides its flags, so it is not there (ENOSYS), and
 * libraries use clone(2). */
static int
allow_network(scmp_filter_ctx f)
{
	static const unsigned family[] = {
	    AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

	for (unsigned i = 0; i < COUNT(family); i++)
		if (seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(socket), 1,
			SCMP_A0(SCMP_CMP_EQ, family[i], 0)) != 0)
			return -1;
	if (seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(ioctl), 1,
		SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0)) != 0 ||
	    seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(prctl), 1,
		SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0)) != 0 ||
	    seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0) != 0)
		return -1;
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(clone), 1,
	    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

static int
allow_role(scmp_filter_ctx f, enum sandbox_role role)
{
	switch (role) {
	case SANDBOX_WORKER:
		/* is the interface still up? */
		if (seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(ioctl), 1,
			SCMP_A1(SCMP_CMP_EQ, SIOCGIFFLAGS, 0)) != 0)
			return -1;
		return allow(f, worker_calls, COUNT(worker_calls));
	case SANDBOX_READER:
		return allow(f, reader_calls, COUNT(reader_calls));
	case SANDBOX_JUDGE:
		return allow(f, judge_calls, COUNT(judge_calls));
	case SANDBOX_FEEDS:
		if (allow_network(f) == -1 ||
		    allow(f, judge_calls, COUNT(judge_calls)) == -1)
			return -1;
		return allow(f, feeds_calls, COUNT(feeds_calls));
	default:
		return 0;
	}
}

static int
lock_calls(const struct sandbox *s, char *err, size_t errlen)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int status;

	if (f == NULL)
		return fail(err, errlen, "seccomp");
	status = allow(f, all_roles, COUNT(all_roles));
	if (status == 0)
		status = allow_memory(f);
	if (status == 0)
		status = allow_role(f, s->role);
	if (status == 0)
		status = seccomp_load(f);
	seccomp_release(f);
	if (status == 0)
		return 0;
	errno = status < -1 ? -status : EPERM;
	return fail(err, errlen, "seccomp");
}

/* ---- it does hold ---- */

/* Returns what could be done and must not be possible; NULL: all is well. */
static const char *
try_forbidden(const struct sandbox *s)
{
	if (s->role == SANDBOX_FEEDS) {
		if (s->change_user && open("/etc/shadow", O_RDONLY) != -1)
			return "read the passwords of the system";
		if (open("/proc/self/maps", O_RDONLY) != -1)
			return "read outside its folders";
	} else if ((s->role != SANDBOX_READER ||
		       (s->nreadable > 0 && files_are_locked)) &&
		   open("/etc/passwd", O_RDONLY) != -1) {
		return "read a file";
	}
	if (open("/tmp/stripwire-sandbox", O_WRONLY | O_CREAT, 0600) != -1)
		return "make a file";
	if (socket(s->role == SANDBOX_FEEDS ? AF_PACKET : AF_INET, SOCK_STREAM,
		0) != -1)
		return "make a socket";
	if (syscall(SYS_setuid, 0) != -1)
		return "become root";
	if (syscall(SYS_ptrace, 0, 0, 0, 0) != -1)
		return "be traced";
	if (syscall(SYS_execve, "/bin/true", NULL, NULL) != -1)
		return "run a program";
	if (syscall(SYS_fork) != -1)
		return "fork";
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0) != MAP_FAILED)
		return "map memory that can be run";
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != -1)
		return "allow core files";
	return NULL;
}

int
sandbox_enter(const struct sandbox *s, char *err, size_t errlen)
{
	const char *hole;

	if (sandbox_is_off())
		return 0;
	if (lock_files(s, err, errlen) == -1 ||
	    lock_calls(s, err, errlen) == -1)
		return -1;
	hole = try_forbidden(s);
	if (hole == NULL)
		return 0;
	(void)snprintf(err, errlen,
	    "sandbox: it does not hold: this process can still %s", hole);
	return -1;
}
