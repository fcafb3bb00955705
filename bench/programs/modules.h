/* Loads what /modules.list of the initramfs names, as the agent does. */
#pragma once
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void mount_basics(void) {
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  mkdir("/dev", 0755);
  mount("proc", "/proc", "proc", 0, 0);
  mount("sysfs", "/sys", "sysfs", 0, 0);
  mount("dev", "/dev", "devtmpfs", 0, 0);
}

static void load_modules(void) {
  char name[128], path[160];
  FILE *list = fopen("/modules.list", "r");
  if (!list) return;
  while (fgets(name, sizeof name, list)) {
    name[strcspn(name, "\n")] = 0;
    snprintf(path, sizeof path, "/modules/%s", name);
    int fd = open(path, O_RDONLY);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0)) perror(path);
    if (fd >= 0) close(fd);
  }
  fclose(list);
}
