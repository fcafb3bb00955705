#include "launch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "environment.h"
#include "job.h"

char **launch_argv(struct fields request) {
    size_t count = 0;
    struct fields fields = request;
    for (struct field field; fields_next(&fields, &field);) count += field.tag == LAUNCH_ARGV;
    if (count == 0) job_fail("INVALID", 0, "No command was given");
    char **argv = calloc(count + 1, sizeof *argv);
    size_t used = 0;
    for (struct field field; argv && fields_next(&request, &field);) {
        if (field.tag != LAUNCH_ARGV) continue;
        argv[used] = field_text(&field);
        if (!argv[used++]) job_fail("INVALID", 0, "Argument %zu of the command holds a NUL byte", used);
    }
    if (!argv) job_fail("IO", ENOMEM, "Cannot read the command");
    return argv;
}

// The system calls themselves: musl's functions do it in every thread, and mask signals nine times for that. A child has one.
static bool take_identity(const struct user *user) {
    return syscall(SYS_setgroups, user->group_count, user->groups) == 0 &&
           syscall(SYS_setresgid, user->gid, user->gid, user->gid) == 0 &&
           syscall(SYS_setresuid, user->uid, user->uid, user->uid) == 0;
}

void launch_become(const struct user *user) {
    if (geteuid() == 0) {
        if (take_identity(user)) return;
        job_fail("DENIED", errno, "Cannot become user \"%s\"", user->name);
    }
    if (user->uid != geteuid()) job_fail("DENIED", EPERM, "Cannot become user \"%s\"", user->name);
}

struct user *launch_user(struct fields request) {
    struct user *user = malloc(sizeof *user);
    const char *spec = fields_text(request, LAUNCH_USER);
    char own[16];
    if (!spec || !*spec) {
        // An agent that is not root can only be itself (test mode).
        snprintf(own, sizeof own, "%u", (unsigned)geteuid());
        spec = geteuid() == 0 ? "root" : own;
    }
    struct text passwd = users_read("/etc/passwd");
    struct text group = users_read("/etc/group");
    const char *missing;
    if (!user) job_fail("IO", ENOMEM, "Cannot look up user \"%s\"", spec);
    if (!users_resolve(passwd, group, spec, user, &missing)) {
        job_fail("NOT_FOUND", 0, "There is no such %s: \"%s\"", missing, spec);
    }
    return user;
}

static const char *exec_error_code(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR: return "NOT_FOUND";
    case EACCES:
    case EPERM:
    case EISDIR: return "DENIED";
    case ENOEXEC:
    case E2BIG:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL: return "INVALID";
    default: return "IO";
    }
}

// Like execvpe, but in the PATH of the command, and without a shell's guess at what is not executable.
static int exec_in_path(char **argv, char **environment) {
    const char *path = environment_get(environment, "PATH");
    char candidate[PATH_MAX];
    int error = ENOENT;
    while (path) {
        size_t length = strcspn(path, ":");
        int wrote = snprintf(candidate, sizeof candidate, "%.*s%s%s", (int)length, path, length ? "/" : "", argv[0]);
        if (wrote > 0 && wrote < (int)sizeof candidate) {
            execve(candidate, argv, environment);
            if (errno == EACCES) error = EACCES;
            else if (errno != ENOENT && errno != ENOTDIR) return errno;
        }
        path = path[length] ? path + length + 1 : NULL;
    }
    return error;
}

void launch_execute(char **argv, char **environment) {
    int error = ENOENT;
    if (strchr(argv[0], '/')) {
        execve(argv[0], argv, environment);
        error = errno;
    } else if (*argv[0]) {
        error = exec_in_path(argv, environment);
    }
    job_fail(exec_error_code(error), error, "Cannot run \"%s\"", argv[0]);
}
