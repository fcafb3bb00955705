// Operation 3: a child that writes a tar of a file or folder to its standard output.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "job.h"
#include "operations.h"
#include "seen_links.h"
#include "tar_header.h"
#include "tar_path.h"

enum { TAG_PATH = 2, TAG_NAME = 3, BUFFER = 256 * 1024, DEPTH_MAX = 512, FOREIGN_MAX = 3 };

struct packer {
    uint8_t *buffer;
    size_t used;
    uint64_t entries;
    uint64_t bytes;
    struct seen_links seen;
    dev_t foreign[FOREIGN_MAX]; // devices of /proc, /sys and /dev
    int foreign_count;
    struct tar_entry entry;
};

static void flush(struct packer *packer) {
    for (size_t done = 0; done < packer->used;) {
        ssize_t wrote = write(STDOUT_FILENO, packer->buffer + done, packer->used - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) _exit(1); // the host is gone
        done += (size_t)wrote;
    }
    packer->used = 0;
}

static void put_zeros(struct packer *packer, uint64_t length) {
    while (length) {
        if (packer->used == BUFFER) flush(packer);
        size_t part = BUFFER - packer->used;
        if (part > length) part = (size_t)length;
        memset(packer->buffer + packer->used, 0, part);
        packer->used += part;
        length -= part;
    }
}

static void put_header(struct packer *packer) {
    if (packer->used + TAR_HEADERS_MAX > BUFFER) flush(packer);
    packer->used += tar_encode(packer->buffer + packer->used, &packer->entry);
    packer->entries++;
}

// As many bytes as the header promised, whatever the file does meanwhile.
static void put_content(struct packer *packer, int fd) {
    uint64_t left = packer->entry.size;
    while (left) {
        if (packer->used == BUFFER) flush(packer);
        size_t part = BUFFER - packer->used;
        if (part > left) part = (size_t)left;
        ssize_t got = read(fd, packer->buffer + packer->used, part);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) job_fail("IO", errno, "Cannot read \"%s\"", packer->entry.path);
        if (got == 0) break;
        packer->used += (size_t)got;
        left -= (uint64_t)got;
    }
    put_zeros(packer, left + (TAR_BLOCK - packer->entry.size % TAR_BLOCK) % TAR_BLOCK);
    packer->bytes += packer->entry.size;
}

static char type_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return '0';
    case S_IFLNK: return '2';
    case S_IFCHR: return '3';
    case S_IFBLK: return '4';
    case S_IFDIR: return '5';
    case S_IFIFO: return '6';
    default: return 0; // a socket is nothing without its process
    }
}

static void describe(struct packer *packer, const struct stat *info, const char *path) {
    struct tar_entry *entry = &packer->entry;
    if (strlen(path) + 2 > sizeof entry->path) job_fail("INVALID", ENAMETOOLONG, "Cannot pack \"%.200s...\"", path);
    strcpy(entry->path, path);
    entry->target[0] = 0;
    entry->type = type_of(info->st_mode);
    if (entry->type == '5') strcat(entry->path, "/");
    entry->mode = info->st_mode & 07777;
    entry->uid = info->st_uid;
    entry->gid = info->st_gid;
    entry->size = entry->type == '0' ? (uint64_t)info->st_size : 0;
    entry->mtime = info->st_mtim.tv_sec;
    entry->mtime_ns = (uint32_t)info->st_mtim.tv_nsec;
    bool device = entry->type == '3' || entry->type == '4';
    entry->major = device ? major(info->st_rdev) : 0;
    entry->minor = device ? minor(info->st_rdev) : 0;
}

static bool is_second_name(struct packer *packer, const struct stat *info, const char *path) {
    if (S_ISDIR(info->st_mode) || info->st_nlink < 2) return false;
    const char *first = seen_links_check(&packer->seen, info, path);
    if (!first) return false;
    packer->entry.type = '1';
    packer->entry.size = 0;
    strcpy(packer->entry.target, first);
    return true;
}

static void pack(struct packer *packer, int folder, const char *name, const char *path, int depth);

static bool is_foreign(const struct packer *packer, const struct stat *info) {
    for (int i = 0; i < packer->foreign_count; i++) {
        if (packer->foreign[i] == info->st_dev) return true;
    }
    return false;
}

static void pack_children(struct packer *packer, int fd, const char *path, int depth) {
    if (depth == DEPTH_MAX) job_fail("INVALID", 0, "The folders are nested too deep to pack");
    DIR *folder = fdopendir(fd);
    char *child = malloc(TAR_PATH_MAX);
    if (!folder || !child) job_fail("IO", errno, "Cannot read folder \"%s\"", path);
    size_t length = strlen(path);
    if (length) memcpy(child, path, length), child[length++] = '/';
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (!entry && errno) job_fail("IO", errno, "Cannot read folder \"%s\"", path);
        if (!entry) break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (length + strlen(entry->d_name) + 2 > TAR_PATH_MAX) job_fail("INVALID", ENAMETOOLONG, "Cannot pack a path");
        strcpy(child + length, entry->d_name);
        pack(packer, fd, entry->d_name, child, depth);
    }
    free(child);
    closedir(folder);
}

// What vanishes between listing and reading was not there; anything else that cannot be read is an error.
static void pack(struct packer *packer, int folder, const char *name, const char *path, int depth) {
    struct stat info;
    int fd = -1;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0) goto failed;
    if (!type_of(info.st_mode)) return;
    bool second = false;
    if (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)) {
        // Not to wait for a pipe that took the file's place.
        fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat opened;
        if (fd < 0 || fstat(fd, &opened) < 0) goto failed;
        if ((opened.st_mode & S_IFMT) == (info.st_mode & S_IFMT)) info = opened;
        else job_fail("BUSY", 0, "\"%s\" changed while it was packed", path);
    }
    describe(packer, &info, path);
    second = is_second_name(packer, &info, path);
    if (S_ISLNK(info.st_mode) && !second) {
        ssize_t length = readlinkat(folder, name, packer->entry.target, TAR_PATH_MAX - 1);
        if (length < 0) goto failed;
        packer->entry.target[length] = 0;
    }
    put_header(packer);
    if (S_ISREG(info.st_mode) && !second) put_content(packer, fd);
    if (S_ISDIR(info.st_mode) && !is_foreign(packer, &info)) {
        pack_children(packer, fd, path, depth + 1);
    } else if (fd >= 0) {
        close(fd);
    }
    return;
failed:
    if (errno != ENOENT || depth == 0) job_fail(job_error_code(errno), errno, "Cannot pack \"%s\"", path);
    if (fd >= 0) close(fd);
}

static void find_foreign(struct packer *packer) {
    static const char *const folders[FOREIGN_MAX] = {"/proc", "/sys", "/dev"};
    struct stat root;
    struct stat info;
    if (stat("/", &root) < 0) return;
    for (int i = 0; i < FOREIGN_MAX; i++) {
        if (stat(folders[i], &info) < 0 || info.st_dev == root.st_dev) continue;
        packer->foreign[packer->foreign_count++] = info.st_dev;
    }
}

static _Noreturn void cannot_open(const char *name) {
    bool link_in_the_way = errno == ELOOP || errno == ENOTDIR || errno == EXDEV;
    job_fail(link_in_the_way ? "INVALID" : job_error_code(errno), errno, "Cannot open \"%s\"", name);
}

static void pack_names(struct packer *packer, int root, struct fields request) {
    char clean[TAR_PATH_MAX];
    bool any = false;
    for (struct field field; fields_next(&request, &field);) {
        if (field.tag != TAG_NAME) continue;
        any = true;
        char *name = field_text(&field);
        if (!name || !tar_path_clean(name, clean, sizeof clean)) {
            job_fail("INVALID", 0, "A name below the folder must be relative and without \"..\"");
        }
        char *slash = strrchr(clean, '/');
        char *parent = slash ? strndup(clean, (size_t)(slash - clean)) : strdup("");
        int folder = parent ? tar_path_open_folder(root, parent, false) : -1;
        if (folder < 0) cannot_open(name);
        if (*clean) pack(packer, folder, slash ? slash + 1 : clean, clean, 0);
        else pack_children(packer, dup(root), "", 0);
        close(folder);
        free(parent);
        free(name);
    }
    if (!any) pack_children(packer, dup(root), "", 0);
}

static void run(struct fields request) {
    static struct packer packer;
    char *path = fields_text(request, TAG_PATH);
    if (!path || path[0] != '/') job_fail("INVALID", 0, "The path to pack must be absolute");
    packer.buffer = malloc(BUFFER);
    if (!packer.buffer) job_fail("IO", ENOMEM, "Cannot pack \"%s\"", path);
    find_foreign(&packer);
    struct stat info;
    if (stat(path, &info) < 0) job_fail(job_error_code(errno), errno, "Cannot pack \"%s\"", path);
    if (S_ISDIR(info.st_mode)) {
        int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0) job_fail(job_error_code(errno), errno, "Cannot pack \"%s\"", path);
        pack_names(&packer, root, request);
    } else {
        // The path itself may be a link, as for any program that opens it; the archive gets the file under its name.
        char *target = realpath(path, NULL);
        const char *name = strrchr(path, '/') + 1;
        if (!target) job_fail(job_error_code(errno), errno, "Cannot pack \"%s\"", path);
        pack(&packer, AT_FDCWD, target, name, 0);
        free(target);
    }
    put_zeros(&packer, 2 * TAR_BLOCK);
    flush(&packer);
    uint8_t payload[64];
    struct field_writer result = {payload, sizeof payload, 0, false};
    write_u64(&result, 1, packer.entries);
    write_u64(&result, 2, packer.bytes);
    close(STDOUT_FILENO);
    job_finish(&result);
}

static struct failure start(struct channel *channel, struct fields request) {
    return job_start(channel, &(struct job){.run = run, .output = true, .terminal = -1}, request);
}

const struct operation tar_out_operation = {.number = 3, .start = start};
