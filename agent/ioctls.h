// ioctl numbers of the kernel that neither musl nor glibc declares, and the type that ioctl() wants them in.
#pragma once

#ifdef __GLIBC__
#define IOCTL(number) ((unsigned long)(number))
#else
#define IOCTL(number) ((int)(number))
#endif

#define BLOCK_SIZE_64 IOCTL(0x80081272UL)     // linux/fs.h: BLKGETSIZE64 = _IOR(0x12, 114, size_t)
#define EXT4_RESIZE IOCTL(0x40086610UL)       // fs/ext4: EXT4_IOC_RESIZE_FS = _IOW('f', 16, __u64)
#define RANDOM_ADD_ENTROPY IOCTL(0x40085203U) // linux/random.h: RNDADDENTROPY = _IOW('R', 3, int[2])
#define RANDOM_RESEED IOCTL(0x5207U)          // linux/random.h: RNDRESEEDCRNG = _IO('R', 7)
#define TTY_OPEN_PEER IOCTL(0x5441U)          // asm-generic/ioctls.h: TIOCGPTPEER
