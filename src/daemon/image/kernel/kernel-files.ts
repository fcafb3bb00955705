/** As the distribution ships it: a bzImage on x86. */
export const KERNEL_FILE = 'vmlinuz';
/** The ELF image packed in it; missing where it cannot be started directly. */
export const UNCOMPRESSED_KERNEL_FILE = 'vmlinux';
/** What belongs at `/lib/modules/<release>`, ext4. */
export const MODULES_FILE = 'modules.ext4';
/** What the initramfs loads, with the order in `modules.list`. */
export const BOOT_MODULES_FOLDER = 'boot-modules';
