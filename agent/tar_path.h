// Names inside a folder that cannot lead out of it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Brings a name of an archive into the form "a/b/c": no empty or "." parts. "" is the folder itself. False for an
// absolute name, one with "..", or one that is too long.
bool tar_path_clean(const char *name, char *to, size_t size);
// Opens a folder below root without following any symbolic link; -1 with errno.
int tar_path_open_folder(int root, const char *path, bool make);
// Makes a folder of the guest with its parents and opens it, links and all: the host asked for this very path.
int tar_path_open_root(const char *path, bool make);
// Removes what is there, whatever it is, without following links. False with errno.
bool tar_path_remove(int folder, const char *name);
