// @fluent-org/logger: every mode of the protocol, with the key proved and each record acknowledged.
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { FluentClient, EventTime } = require("@fluent-org/logger");
const [host, port, sharedKey] = process.argv.slice(2);

const client = (eventMode, key) => new FluentClient("app", {
  eventMode,
  ack: { ackTimeout: 8000 },
  socket: { host, port: Number(port), timeout: 8000, disableReconnect: true },
  security: { clientHostname: "app-1", sharedKey: key },
});

const acknowledged = [];
for (const mode of ["Message", "Forward", "PackedForward", "CompressedPackedForward"]) {
  const logger = client(mode, sharedKey);
  await logger.connect();
  const problem = { message: `[P1][PROBLEM][node-${mode}][][磁盘满了]`, nested: { rack: 7 } };
  await Promise.all([
    logger.emit("web", problem, EventTime.now()),
    logger.emit("web", { message: "all is well" }),
  ]);
  acknowledged.push(mode);
  await logger.disconnect();
}
let refused = "";
try {
  const stranger = client("PackedForward", "another key");
  // Some versions only wait when they are hung up on.
  const late = new Promise((_, refuse) => setTimeout(() => refuse(new Error("nothing was acknowledged")), 3000));
  const said = stranger.connect().then(() => stranger.emit("web", { message: "[P0][PROBLEM][stranger][][x]" }));
  await Promise.race([said, late]);
} catch (error) {
  refused = `${error.name}: ${error.message}`;
}
console.log(JSON.stringify({ acknowledged, refused, version: require("@fluent-org/logger/package.json").version }));
process.exit(0);
