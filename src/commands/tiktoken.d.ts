// Ranks of a tokenizer, as a file that the bundler carries along: its path.

declare module "*.tiktoken" {
  const path: string;
  export = path;
}
