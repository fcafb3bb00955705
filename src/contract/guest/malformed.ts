/** The other end sent something that the protocol does not allow. The session cannot go on after it. */
export class MalformedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedError';
  }
}
