import { UserError } from '#contract/errors.ts';
import { IMAGE_BUILDERS, type ImageBuilderName } from '#contract/owner/image-build.ts';
import { findProgram } from '#host/find-program.ts';
import { BUILDERS } from './builder-commands.ts';

export interface ChosenBuilder {
  name: ImageBuilderName;
  path: string;
}

/** The builder that was asked for, else the first that this host has. @throws UserError `HOST_TOOL_MISSING` */
export async function chooseBuilder(
  wanted: ImageBuilderName | undefined,
  searchPath: string,
): Promise<ChosenBuilder> {
  for (const name of wanted === undefined ? IMAGE_BUILDERS : [wanted]) {
    const path = await findProgram(name, searchPath);
    if (path !== undefined) return { name, path };
  }
  const condition = wanted === undefined ? `none of ${IMAGE_BUILDERS.join(', ')}` : `no "${wanted}"`;
  throw new UserError('HOST_TOOL_MISSING', `Cannot build an image: this host has ${condition}`, {
    hint: `sudo apt-get install ${BUILDERS[wanted ?? 'buildah'].package}`,
    details: { tools: wanted === undefined ? IMAGE_BUILDERS : [wanted] },
  });
}
