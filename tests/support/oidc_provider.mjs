// A provider of identities on a free port of this machine: prints its address. Its accounts come as JSON in the argument.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { module, redirect, accounts } = JSON.parse(process.argv[2]);
const { Provider } = await import(pathToFileURL(module).href);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "calotype", client_secret: "a secret of the client", redirect_uris: [redirect], grant_types: ["authorization_code"] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    pkce: { required: () => true },
    cookies: { keys: ["one key of the test"] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_context, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
