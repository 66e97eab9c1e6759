// Whose release this is. The workflows tell by GITHUB_REPOSITORY; nothing in the sources names an owner.

/** `owner/name`, or undefined outside of a workflow. */
export function repositoryName(): string | undefined {
  const name = process.env.GITHUB_REPOSITORY;
  return name !== undefined && /^[\w.-]+\/[\w.-]+$/.test(name) ? name : undefined;
}

export function repositoryUrl(): string | undefined {
  const name = repositoryName();
  return name === undefined ? undefined : `https://github.com/${name}`;
}
