#include "service_child.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "environment.h"
#include "first_process.h"
#include "job.h"
#include "launch.h"
#include "tar_path.h"

// As container runtimes do: made when it is missing, and entered by root, so that it need not be the user's.
static void enter_folder(struct fields request) {
    char *asked = fields_text(request, LAUNCH_FOLDER);
    const char *folder = asked && *asked ? asked : "/";
    int fd = tar_path_open_root(folder, true);
    if (fd < 0 || fchdir(fd) < 0) job_fail(job_error_code(errno), errno, "Cannot enter folder \"%s\"", folder);
}

void service_child(struct fields request) {
    setsid();
    if (getpid() == 1 && !first_process_enter()) job_fail("IO", errno, "Cannot give the service a /proc of its own");
    umask(022);
    char **argv = launch_argv(request);
    struct user *user = launch_user(request);
    char **environment = environment_complete(user, request, LAUNCH_ENV);
    if (!environment) job_fail("IO", ENOMEM, "Cannot make the environment");
    // Its output is a pipe of root's: without this it could not open /dev/stdout, as many images do.
    if (geteuid() == 0 && fchown(STDOUT_FILENO, user->uid, user->gid) < 0) {
        job_fail("IO", errno, "Cannot give the output to user \"%s\"", user->name);
    }
    enter_folder(request);
    launch_become(user);
    launch_execute(argv, environment);
}
