/**
 * `GET /v1/vms/{vm}/exec` with `Upgrade: banger-exec`. After the 101 both ends speak the frames of the guest protocol
 * (docs/guest-protocol.md) on channel 1: the client's first frame is `OPEN`; `OPEN`, `OPENED`, `RESULT` and `ERROR` carry JSON here
 * (the schemas of exec.ts and the error body), all others are as in the guest protocol, credit included. A client that closes
 * the socket ends the command (SIGHUP, after 2 s SIGKILL).
 *
 * `GET /v1/vms/{vm}/commands/{command}/attach` goes the same way with the schemas of command.ts and the frame `LOST`; whoever closes that
 * socket only leaves.
 *
 * Apart from the schemas, so that a client that only runs a command does not load zod.
 */
export const EXEC_UPGRADE = 'banger-exec';
export const EXEC_CHANNEL = 1;
