#include "exec_child.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "environment.h"
#include "job.h"
#include "launch.h"

enum { TAG_TTY = 6 };

static void enter_folder(struct fields request, const struct user *user) {
    char *folder = fields_text(request, LAUNCH_FOLDER);
    if (folder && *folder) {
        if (chdir(folder) < 0) job_fail(job_error_code(errno), errno, "Cannot enter folder \"%s\"", folder);
    } else if (chdir(user->home) < 0 && chdir("/") < 0) {
        job_fail(job_error_code(errno), errno, "Cannot enter folder \"/\"");
    }
}

void exec_child_rehearse(void) {
    struct fields nothing = {NULL, 0};
    environment_make(launch_user(nothing), false, nothing, LAUNCH_ENV);
}

void exec_child(struct fields request) {
    bool terminal = fields_number(request, TAG_TTY, 0) != 0;
    setsid(); // comes to nothing in a child that has a session already
    char **argv = launch_argv(request);
    struct user *user = launch_user(request);
    if (terminal) {
        ioctl(STDIN_FILENO, TIOCSCTTY, 0);
        if (geteuid() == 0 && fchown(STDIN_FILENO, user->uid, (gid_t)-1) == 0) fchmod(STDIN_FILENO, 0620);
    }
    char **environment = environment_make(user, terminal, request, LAUNCH_ENV);
    if (!environment) job_fail("IO", ENOMEM, "Cannot make the environment");
    launch_become(user);
    enter_folder(request, user);
    umask(022);
    launch_execute(argv, environment);
}
