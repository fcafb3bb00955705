import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface RawRequest {
  socketPath: string;
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** One request without the SDK, as curl would send it. */
export function rawRequest({ body, ...options }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const client = httpRequest({ ...options, agent: false }, (response) => {
      text(response).then(
        (content) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: content }),
        reject,
      );
    });
    client.on('error', reject);
    client.end(body);
  });
}
