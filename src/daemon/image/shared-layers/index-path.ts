/** In the folder of an image: for each of its layers, by the hex digits of the diff id, where in the root disk its contents lie. */
export const LAYERS_FOLDER = 'layers';

export function indexName(diffId: string): string {
  return diffId.slice(diffId.indexOf(':') + 1);
}

export function indexPath(imageFolder: string, diffId: string): string {
  return `${imageFolder}/${LAYERS_FOLDER}/${indexName(diffId)}`;
}
