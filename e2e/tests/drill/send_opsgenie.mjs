// Opsgenie's own library for JavaScript: one alert, with its own way of trying again.
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const opsgenie = require("opsgenie-sdk");
const [base, key, host] = process.argv.slice(2);
opsgenie.configure({ host: base, api_key: key, maxAttempts: 60, retryDelay: 500 });
const alert = { message: "it is down", alias: host, entity: host, priority: "P2" };
const answer = await new Promise((done, fail) =>
  opsgenie.alertV2.create(alert, (error, made) => (error ? fail(new Error(JSON.stringify(error))) : done(made))));
if (answer.result !== "Request will be processed") throw new Error(JSON.stringify(answer));
