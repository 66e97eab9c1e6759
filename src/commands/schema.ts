// Prints the JSON Schema of servers.yaml, for editors.

import { jsonSchema } from "../config/schema.ts";
import { printJson } from "./print.ts";

export function printSchema(): void {
  printJson(jsonSchema());
}
