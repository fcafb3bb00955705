/**
 * How the daemon's Node is started: it lives long and shall be small when it has nothing to do.
 *
 * It gives memory back by itself when it is idle (`--expose-gc`); until then, young objects get 8 MiB and not 32 before V8
 * looks. Maglev compiles some closures wrongly when the machine is busy, without a sign (ADR 26).
 */
export const RUNTIME_FLAGS = ['--expose-gc', '--max-semi-space-size=8', '--no-maglev'];

/**
 * glibc's allocator keeps what was freed in up to eight arenas for each CPU, and the more is freed at once the more it keeps:
 * 5 MiB after a start. Two arenas, and from 128 KiB on each buffer by itself, which goes back to the kernel when it is freed
 * (mallopt(3)).
 */
export const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };
