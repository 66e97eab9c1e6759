// Prints the JSON Schema of servers.yaml, for editors.

import { jsonSchema } from "../config/schema.ts";

export function printSchema(): void {
  process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
}
