import type { RunConfig } from '#contract/owner/image.ts';
import type { RootSource } from '../root-disk.ts';

/** What a new image is made of, found and checked. */
export interface ImageSource {
  root: RootSource;
  digest?: string;
  config?: RunConfig;
}
