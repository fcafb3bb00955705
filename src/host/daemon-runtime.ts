/**
 * How the daemon's Node is started: it lives long and shall be small when it has nothing to do.
 *
 * It gives memory back by itself when it is idle (`--expose-gc`); until then, young objects get 8 MiB and not 32 before V8
 * looks. Maglev compiles some closures wrongly when the machine is busy, without a sign (ADR 26).
 */
export const RUNTIME_FLAGS = ['--expose-gc', '--max-semi-space-size=8', '--no-maglev'];

/**
 * glibc's allocator keeps what was freed in up to eight arenas for each CPU, and lets the size from which a buffer is mapped by itself,
 * and given back when it is freed, grow with what is freed (mallopt(3)): 4 MiB after a start. The size is above the 256 KiB pieces in which
 * layers are uncompressed, as mapping each of those made a pull's work a third longer.
 */
export const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '524288' };
