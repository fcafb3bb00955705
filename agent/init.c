#include "init.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmdline.h"

static bool is_program(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

static enum init_kind kind_of(const char *path) {
    char *real = realpath(path, NULL);
    const char *name = strrchr(real ? real : path, '/');
    name = name ? name + 1 : path;
    enum init_kind kind = INIT_OTHER;
    if (strcmp(name, "systemd") == 0) kind = INIT_SYSTEMD;
    if (strcmp(name, "openrc-init") == 0) kind = INIT_OPENRC;
    if (strcmp(name, "busybox") == 0) kind = is_program("/sbin/openrc") ? INIT_BUSYBOX_OPENRC : INIT_BUSYBOX;
    free(real);
    return kind;
}

enum init_kind init_find(const char *cmdline, char *path, size_t size) {
    static const char *const usual[] = {
        "/sbin/init", "/lib/systemd/systemd", "/usr/lib/systemd/systemd", "/etc/init", "/bin/init"};
    if (cmdline_get(cmdline, "banger.init", path, size)) {
        if (strcmp(path, "agent") != 0) return is_program(path) ? kind_of(path) : INIT_AGENT;
        *path = 0;
        return INIT_AGENT;
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (!is_program(usual[i])) continue;
        snprintf(path, size, "%s", usual[i]);
        return kind_of(path);
    }
    *path = 0;
    return INIT_AGENT;
}
