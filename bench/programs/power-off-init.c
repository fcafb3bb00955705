/* The floor of a boot: an init that ends the machine at once. */
#include <sys/reboot.h>
#include <unistd.h>

int main(void) {
  reboot(RB_POWER_OFF);
  for (;;) pause();
}
