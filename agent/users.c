#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20, COLUMNS_MAX = 7 };

bool users_parse_id(const char *text, uint32_t *id) {
    uint64_t value = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value >= UINT32_MAX) return false;
    }
    *id = (uint32_t)value;
    return true;
}

// Takes the next line off the text and splits it at its colons. Returns the number of columns, -1 at the end.
static int next_entry(struct text *rest, struct text columns[COLUMNS_MAX]) {
    if (rest->length == 0) return -1;
    const char *newline = memchr(rest->bytes, '\n', rest->length);
    struct text line = {rest->bytes, newline ? (size_t)(newline - rest->bytes) : rest->length};
    size_t taken = line.length + (newline ? 1 : 0);
    rest->bytes += taken;
    rest->length -= taken;
    int count = 0;
    while (count < COLUMNS_MAX) {
        const char *colon = memchr(line.bytes, ':', line.length);
        size_t length = colon ? (size_t)(colon - line.bytes) : line.length;
        columns[count++] = (struct text){line.bytes, length};
        if (!colon) break;
        line.bytes += length + 1;
        line.length -= length + 1;
    }
    return count;
}

static bool same(struct text column, const char *text) {
    return column.length == strlen(text) && memcmp(column.bytes, text, column.length) == 0;
}

static bool copy(struct text column, char to[USERS_TEXT_MAX]) {
    if (column.length >= USERS_TEXT_MAX || memchr(column.bytes, 0, column.length)) return false;
    memcpy(to, column.bytes, column.length);
    to[column.length] = 0;
    return true;
}

static bool column_id(struct text column, uint32_t *id) {
    char digits[USERS_TEXT_MAX];
    return copy(column, digits) && users_parse_id(digits, id);
}

static bool read_user(struct text columns[COLUMNS_MAX], int count, struct user *user) {
    uint32_t uid;
    uint32_t gid;
    if (count < COLUMNS_MAX || !column_id(columns[2], &uid) || !column_id(columns[3], &gid)) return false;
    if (!copy(columns[0], user->name) || !copy(columns[5], user->home) || !copy(columns[6], user->shell)) return false;
    user->uid = uid;
    user->gid = gid;
    if (user->home[0] != '/') strcpy(user->home, "/");
    if (user->shell[0] != '/') strcpy(user->shell, "/bin/sh");
    return true;
}

bool users_find(struct text passwd, const char *name, struct user *user) {
    struct text columns[COLUMNS_MAX];
    struct text rest = passwd;
    for (int count; (count = next_entry(&rest, columns)) >= 0;) {
        if (same(columns[0], name) && read_user(columns, count, user)) return true;
    }
    uint32_t id;
    if (!users_parse_id(name, &id)) return false;
    rest = passwd;
    for (int count; (count = next_entry(&rest, columns)) >= 0;) {
        if (read_user(columns, count, user) && user->uid == id) return true;
    }
    *user = (struct user){.uid = id, .gid = 0, .home = "/", .shell = "/bin/sh"};
    strncpy(user->name, name, USERS_TEXT_MAX - 1);
    return true;
}

bool users_find_group(struct text group, const char *name, gid_t *gid) {
    struct text columns[COLUMNS_MAX];
    uint32_t id;
    for (int count; (count = next_entry(&group, columns)) >= 0;) {
        if (count < 3 || !same(columns[0], name) || !column_id(columns[2], &id)) continue;
        *gid = id;
        return true;
    }
    if (!users_parse_id(name, &id)) return false;
    *gid = id;
    return true;
}

static bool lists(struct text members, const char *name) {
    size_t wanted = strlen(name);
    while (members.length) {
        const char *comma = memchr(members.bytes, ',', members.length);
        size_t length = comma ? (size_t)(comma - members.bytes) : members.length;
        if (length == wanted && memcmp(members.bytes, name, length) == 0) return true;
        size_t taken = comma ? length + 1 : length;
        members.bytes += taken;
        members.length -= taken;
    }
    return false;
}

void users_add_groups(struct text group, struct user *user) {
    struct text columns[COLUMNS_MAX];
    user->group_count = 0;
    user->groups[user->group_count++] = user->gid;
    for (int count; (count = next_entry(&group, columns)) >= 0;) {
        uint32_t id;
        if (count < 4 || !lists(columns[3], user->name) || !column_id(columns[2], &id)) continue;
        if (id == user->gid || user->group_count == USERS_GROUPS_MAX) continue;
        user->groups[user->group_count++] = id;
    }
}

bool users_resolve(struct text passwd, struct text group, const char *spec, struct user *user, const char **missing) {
    char name[USERS_TEXT_MAX];
    const char *colon = strchr(spec, ':');
    size_t length = colon ? (size_t)(colon - spec) : strlen(spec);
    *missing = "user";
    if (length == 0 || length >= sizeof name) return false;
    memcpy(name, spec, length);
    name[length] = 0;
    if (!users_find(passwd, name, user)) {
        // An image without /etc/passwd still has its root.
        if (strcmp(name, "root") != 0) return false;
        *user = (struct user){.name = "root", .home = "/root", .shell = "/bin/sh"};
    }
    *missing = "group";
    if (colon && !users_find_group(group, colon + 1, &user->gid)) return false;
    users_add_groups(group, user);
    return true;
}

struct text users_read(const char *path) {
    struct text nothing = {"", 0};
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return nothing;
    char *bytes = NULL;
    size_t length = 0;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 && info.st_size <= FILE_MAX) {
        bytes = malloc((size_t)info.st_size);
    }
    while (bytes && length < (size_t)info.st_size) {
        ssize_t got = read(fd, bytes + length, (size_t)info.st_size - length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        length += (size_t)got;
    }
    close(fd);
    return bytes ? (struct text){bytes, length} : nothing;
}
