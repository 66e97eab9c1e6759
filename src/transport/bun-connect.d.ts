// Bun's types know the options for a socket that exists already, and no function that takes them.

declare module "bun" {
  function connect<Data = undefined>(options: FdSocketOptions<Data>): Promise<Socket<Data>>;
}

export {};
