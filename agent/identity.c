#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

enum { FILE_MAX = 1 << 20, HOSTNAME_MAX = 63 };

static const char own_address[] = "127.0.1.1";

static char *read_text(const char *path) {
    char *text = NULL;
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return NULL;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size < FILE_MAX) {
        text = calloc(1, (size_t)info.st_size + 1);
    }
    if (text && read(fd, text, (size_t)info.st_size) < 0) text[0] = 0;
    close(fd);
    return text;
}

// By a new file and a rename: what stands there may be a link to somewhere else, which is replaced, not followed.
static bool write_text(const char *path, const char *text) {
    char temporary[64];
    struct stat info;
    char *before = lstat(path, &info) == 0 && S_ISREG(info.st_mode) ? read_text(path) : NULL;
    bool same = before && strcmp(before, text) == 0;
    free(before);
    if (same) return true;
    snprintf(temporary, sizeof temporary, "%s.banger", path);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    size_t length = strlen(text);
    bool ok = fd >= 0 && write(fd, text, length) == (ssize_t)length && fchmod(fd, 0644) == 0;
    if (fd >= 0) close(fd);
    if (ok && rename(temporary, path) == 0) return true;
    log_line("cannot write %s: %s", path, strerror(errno));
    unlink(temporary);
    return false;
}

static bool is_own_line(const char *line, size_t length) {
    size_t address = sizeof own_address - 1;
    return length > address && memcmp(line, own_address, address) == 0 &&
           (line[address] == ' ' || line[address] == '\t');
}

char *identity_hosts(const char *text, const char *name) {
    size_t size = strlen(text) + strlen(name) + 64;
    char *to = malloc(size);
    if (!to) return NULL;
    size_t used = 0;
    if (!*text) used += (size_t)sprintf(to, "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (!is_own_line(text, length)) {
            memcpy(to + used, text, length);
            used += length;
            to[used++] = '\n';
        }
        text += length;
        if (*text) text++;
    }
    sprintf(to + used, "%s\t%s\n", own_address, name);
    return to;
}

char *identity_resolv(const char *addresses) {
    // Each address of at least one byte and its comma become one line.
    char *to = malloc(strlen(addresses) * 13 + 32);
    if (!to) return NULL;
    size_t used = 0;
    to[0] = 0;
    while (*addresses) {
        size_t length = strcspn(addresses, ",");
        size_t plain = strspn(addresses, "0123456789abcdefABCDEF.:");
        if (length && plain >= length) used += (size_t)sprintf(to + used, "nameserver %.*s\n", (int)length, addresses);
        addresses += length;
        if (*addresses) addresses++;
    }
    return to;
}

bool identity_is_hostname(const char *name) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
    size_t length = strlen(name);
    return length > 0 && length <= HOSTNAME_MAX && strspn(name, letters) == length && !strchr("-.", name[0]);
}

bool identity_set_hostname(const char *name) {
    char line[HOSTNAME_MAX + 2];
    if (!identity_is_hostname(name)) {
        log_line("cannot use the host name \"%s\"", name);
        return false;
    }
    bool ok = sethostname(name, strlen(name)) == 0;
    if (!ok) log_line("cannot set the host name: %s", strerror(errno));
    mkdir("/etc", 0755);
    snprintf(line, sizeof line, "%s\n", name);
    ok &= write_text("/etc/hostname", line);
    char *before = read_text("/etc/hosts");
    char *hosts = identity_hosts(before ? before : "", name);
    ok &= hosts && write_text("/etc/hosts", hosts);
    free(before);
    free(hosts);
    return ok;
}

void identity_set_dns(const char *addresses) {
    char *text = identity_resolv(addresses);
    if (text && *text) write_text("/etc/resolv.conf", text);
    free(text);
}
