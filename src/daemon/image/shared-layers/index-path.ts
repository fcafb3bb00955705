import { hexOf } from '#oci/digest.ts';

/** In the folder of an image: for each of its layers, by the digits of the diff id, where in the root disk its contents lie. */
export const LAYERS_FOLDER = 'layers';

export function indexPath(imageFolder: string, diffId: string): string {
  return `${imageFolder}/${LAYERS_FOLDER}/${hexOf(diffId)}`;
}
