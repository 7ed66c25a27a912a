// A provider of OpenID Connect on loopback. Its one argument is JSON: port, redirect, clients (the
// seconds of each client's ID token, by its id) and accounts (the claims of each, by its id).
import Provider from "oidc-provider";

const { port, redirect, clients, accounts } = JSON.parse(process.argv[2]);
const issuer = `http://localhost:${port}`;
const names = ["name", "roles", "realm_access"];

const provider = new Provider(issuer, {
  clients: Object.keys(clients).map((id) => ({
    client_id: id,
    client_secret: `secret-of-${id}`,
    redirect_uris: [redirect],
    post_logout_redirect_uris: [redirect],
  })),
  claims: { openid: ["sub"], profile: names },
  conformIdTokenClaims: false, // the ID token has the claims of its scopes, as Entra ID and Keycloak do
  cookies: { keys: ["a key of the tests"] },
  ttl: { IdToken: (_, __, client) => clients[client.clientId] },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = `<!doctype html><title>Sign out</title>${form}
          <button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`;
      },
    },
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) =>
    accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
});

const readBody = (request) =>
  new Promise((resolve) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => resolve(new URLSearchParams(body)));
  });

// Asks for the name of an account, and grants all that the client asks for.
async function interact(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    if (request.method === "POST") {
      const accountId = (await readBody(request)).get("login");
      const result = { login: { accountId } };
      return provider.interactionFinished(request, response, result);
    }
    response.setHeader("content-type", "text/html");
    return response.end(`<!doctype html><title>Provider</title><form method="post">
      <label>Account <input name="login" autofocus></label><button>Continue</button></form>`);
  }
  const known = grantId && (await provider.Grant.find(grantId));
  const grant =
    known || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

const answer = provider.callback();
const { createServer } = await import("node:http");
createServer((request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  return interact(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(String(error));
  });
}).listen(port, "localhost", () => console.log("ready"));
