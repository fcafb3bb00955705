/* The floor of a boot: an init that has all CPUs at work and ends the machine. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

/* An emulated kernel boots with one CPU and leaves the others to its init (maxcpus=). */
static int start_cpu(int number) {
  char path[64];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/online", number);
  int file = open(path, O_WRONLY);
  if (file < 0) return 0;
  int ok = write(file, "1", 1) == 1;
  close(file);
  return ok;
}

int main(void) {
  mkdir("/sys", 0755);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  for (int number = 1; start_cpu(number); number++) continue;
  reboot(RB_POWER_OFF);
  for (;;) pause();
}
