#include "tar_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

enum { DEPTH_MAX = 512 };

// linux/openat2.h
struct open_how_ {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};
static const uint64_t no_magic_links = 0x02;
static const uint64_t no_symlinks = 0x04;
static const uint64_t beneath = 0x08;

bool tar_path_clean(const char *name, char *to, size_t size) {
    size_t used = 0;
    if (name[0] == '/') return false;
    while (*name) {
        size_t length = strcspn(name, "/");
        bool dot = length == 1 && name[0] == '.';
        if (length == 2 && name[0] == '.' && name[1] == '.') return false;
        if (length && !dot) {
            if (length > NAME_MAX || used + length + 2 > size) return false;
            if (used) to[used++] = '/';
            memcpy(to + used, name, length);
            used += length;
        }
        name += length;
        if (*name) name++;
    }
    to[used] = 0;
    return true;
}

static int open_beneath(int root, const char *path) {
    struct open_how_ how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, .resolve = beneath | no_symlinks | no_magic_links};
    return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
}

int tar_path_open_folder(int root, const char *path, bool make) {
    int fd = open_beneath(root, path);
    if (fd >= 0 || errno != ENOENT || !make) return fd;
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int folder = open_beneath(root, "");
    for (const char *at = path; folder >= 0 && *at;) {
        size_t size = strcspn(at, "/");
        memcpy(part, at, size);
        part[size] = 0;
        if (mkdirat(folder, part, 0755) < 0 && errno != EEXIST) break;
        int next = open_beneath(folder, part);
        int saved = errno;
        close(folder);
        errno = saved;
        folder = next;
        at += size;
        if (*at) at++;
        else return folder;
    }
    int saved = errno;
    if (folder >= 0) close(folder);
    errno = saved;
    return -1;
}

int tar_path_open_root(const char *path, bool make) {
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int fd = open(path, flags);
    if (fd >= 0 || errno != ENOENT || !make) return fd;
    char part[PATH_MAX];
    if (strlen(path) >= sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(part, path);
    for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) *slash = 0;
        if (mkdir(part, 0755) < 0 && errno != EEXIST) return -1;
        if (!slash) break;
        *slash = '/';
    }
    return open(path, flags);
}

static bool remove_below(int parent, const char *name, int depth) {
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return true;
    if (errno != EISDIR && errno != EPERM) return false;
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return true;
    if ((errno != ENOTEMPTY && errno != EEXIST) || depth == DEPTH_MAX) return false;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder) return false;
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        ok = remove_below(fd, entry->d_name, depth + 1);
    }
    int saved = errno;
    closedir(folder);
    errno = saved;
    return ok && unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

bool tar_path_remove(int folder, const char *name) {
    return remove_below(folder, name, 0);
}
