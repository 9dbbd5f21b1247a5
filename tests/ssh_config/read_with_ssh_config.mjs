/** Prints what the npm package ssh-config finds for hosts in a file: read_with_ssh_config.mjs FOLDER FILE HOST... */

import { readFileSync } from "node:fs";
import process from "node:process";

const [folder, file, ...hosts] = process.argv.slice(2);
const { default: SSHConfig } = await import(`${folder}/node_modules/ssh-config/dist/ssh-config.js`);
const config = (SSHConfig.default ?? SSHConfig).parse(readFileSync(file, "utf8"));
for (const host of hosts) {
  for (const [option, value] of Object.entries(config.compute(host, { ignoreCase: true })).sort()) {
    // The patterns of the first block that matched are no option.
    if (option !== "host") console.log(host, option, JSON.stringify(value));
  }
}
