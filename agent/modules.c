#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "procfs.h"

static void load(const char *name) {
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)) {
        log_line("cannot load module %s: %s", name, strerror(errno));
    }
    if (fd >= 0) close(fd);
}

void modules_load(void) {
    struct lines list;
    if (!lines_open(&list, "/modules.list")) return; // a kernel with everything built in
    if (chdir("/modules") < 0) log_line("cannot enter /modules: %s", strerror(errno));
    for (char *name; (name = lines_next(&list));) {
        if (*name && *name != '#') load(name);
    }
}
