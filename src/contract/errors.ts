/**
 * Every code that a user can meet. The meaning, cause and remedy of each stand in docs/errors.md.
 * The number is the HTTP status under which the API reports it.
 */
export const ERROR_STATUS = {
  // usage
  USAGE: 400,
  INVALID_ARGUMENT: 400,
  INVALID_NAME: 400,
  REQUEST_TOO_LARGE: 413,
  ROUTE_NOT_FOUND: 404,
  // VMs
  VM_NOT_FOUND: 404,
  VM_REFERENCE_AMBIGUOUS: 409,
  VM_NAME_TAKEN: 409,
  VM_NOT_RUNNING: 409,
  VM_RUNNING: 409,
  VM_DAMAGED: 409,
  // images, kernels, disks
  IMAGE_NOT_FOUND: 404,
  IMAGE_BUILD_FAILED: 500,
  IMAGE_REFERENCE_INVALID: 400,
  IMAGE_PLATFORM_MISSING: 404,
  IMAGE_PULL_FAILED: 502,
  REGISTRY_UNREACHABLE: 502,
  REGISTRY_AUTH_FAILED: 403,
  DOWNLOAD_CORRUPT: 502,
  IMAGE_NAME_TAKEN: 409,
  IMAGE_IN_USE: 409,
  IMAGE_SOURCE_INVALID: 400,
  IMAGE_LAYER_INVALID: 400,
  IMAGE_TOO_LARGE: 413,
  PUBLIC_KEY_INVALID: 400,
  BUNDLE_INVALID: 400,
  CATALOG_INVALID: 409,
  DOWNLOAD_FAILED: 502,
  EXPORT_TARGET_TAKEN: 409,
  KERNEL_NOT_FOUND: 404,
  KERNEL_FETCH_FAILED: 502,
  KERNEL_INVALID: 400,
  KERNEL_IN_USE: 409,
  KERNEL_NAME_TAKEN: 409,
  INITRAMFS_BUILD_FAILED: 500,
  DISK_TOOL_MISSING: 500,
  DISK_TOO_SMALL: 400,
  DISK_TOO_LARGE: 400,
  DISK_DAMAGED: 500,
  // the host
  HOST_TOOL_MISSING: 500,
  HOST_MEMORY_EXCEEDED: 400,
  HOST_DISK_FULL: 507,
  HOST_NO_KVM: 500,
  HOST_ADDRESSES_USED_UP: 507,
  OUTPUT_FAILED: 500,
  // ports on the host
  PORT_TAKEN: 409,
  PORT_NOT_ALLOWED: 403,
  PORT_NOT_PUBLISHED: 404,
  // machines
  HYPERVISOR_MISSING: 500,
  MACHINE_START_FAILED: 500,
  MACHINE_DIED: 500,
  MACHINE_NOT_ANSWERING: 504,
  NETWORK_TOOL_MISSING: 500,
  NETWORK_START_FAILED: 500,
  NETWORK_LOST: 500,
  // guests
  GUEST_LINK_UNREACHABLE: 504,
  GUEST_NOT_ANSWERING: 504,
  GUEST_PROTOCOL: 502,
  GUEST_PROTOCOL_UNSUPPORTED: 502,
  GUEST_LINK_LOST: 502,
  COMMAND_NOT_FOUND: 404,
  COMMAND_NOT_EXECUTABLE: 403,
  GUEST_OPERATION_FAILED: 500,
  DETACHED_COMMAND_NOT_FOUND: 404,
  DETACHED_COMMAND_RUNNING: 409,
  DETACHED_COMMAND_ENDED: 409,
  DETACHED_COMMANDS_FULL: 409,
  SHELL_NOT_FOUND: 404,
  SERVICE_NOT_DEFINED: 404,
  SERVICE_FAILED: 500,
  // operations and the daemon
  OPERATION_NOT_FOUND: 404,
  OPERATION_CANCELLED: 409,
  DAEMON_UNREACHABLE: 503,
  DAEMON_START_FAILED: 503,
  DAEMON_ALREADY_RUNNING: 409,
  DAEMON_VERSION_MISMATCH: 409,
  DAEMON_STOPPING: 503,
  STATE_FOLDER_UNUSABLE: 500,
  STORE_UNREADABLE: 500,
  STORE_TOO_NEW: 500,
  CONFIG_INVALID: 400,
  CONFIG_KEY_UNKNOWN: 400,
  CONFIG_VALUE_INVALID: 400,
  CONFIG_NOT_EDITABLE: 409,
  CONFIG_NOT_WRITABLE: 500,
  INTERNAL: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface UserErrorOptions {
  /** What to do next: one sentence or one command. */
  hint?: string | undefined;
  details?: Readonly<Record<string, unknown>> | undefined;
  cause?: unknown;
}

/**
 * An expected failure: safe to show, with a stable code.
 * Anything else that is thrown is a bug, logged with its stack and shown as `INTERNAL`.
 */
export class UserError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'UserError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
}

export function isUserError(error: unknown, code?: ErrorCode): error is UserError {
  return error instanceof UserError && (code === undefined || error.code === code);
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_STATUS, text);
}
