#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "procfs.h"

static void load(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "/modules/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)) {
        log_line("cannot load module %s: %s", name, strerror(errno));
    }
    if (fd >= 0) close(fd);
}

void modules_load(void) {
    struct lines list;
    if (!lines_open(&list, "/modules.list")) return; // a kernel with everything built in
    for (char *name; (name = lines_next(&list));) {
        if (*name && *name != '#') load(name);
    }
}
