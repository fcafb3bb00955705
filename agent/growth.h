// Growing a mounted ext4 file system to the size of its disk.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// What the file system on an open disk says of its size; 0: it is none.
uint64_t ext4_bytes(int disk);
// `folder` is open and lies on it. One that has the size already stays as it is. False with errno.
bool grow_filesystem(int folder, uint64_t disk_bytes);
