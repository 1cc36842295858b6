"use strict";

let token;

async function call(path, options = {}) {
  if (!token) {
    const login = { method: "POST", headers: { "content-type": "application/json" }, body: '{"email":"admin@demo.example"}' };
    token = (await (await fetch("/_local/token", login)).json()).id_token;
  }
  const headers = { authorization: `Bearer ${token}`, orgid: "demo", "content-type": "application/json" };
  const answer = await fetch(path, { ...options, headers });
  if (answer.status === 401) token = undefined;
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? body.message ?? answer.status);
  return body;
}

// What a mail about a connection leads to.
const reconnect = new URLSearchParams(location.search).get("reconnect");
if (reconnect) document.getElementById("connect").textContent = "Reconnect Facebook";

document.getElementById("connect").addEventListener("click", async () => {
  const returnUrl = `${location.origin}/`;
  const made = { name: "Demo integration", assignment: { strategy: "round_robin" } };
  const request = reconnect ? { returnUrl, integrationId: reconnect } : { returnUrl, ...made };
  try {
    const { authUrl } = await call("/api/upstream/call/facebook-provider/get-auth-url", {
      method: "POST",
      body: JSON.stringify(request),
    });
    location.href = authUrl;
  } catch (error) {
    document.getElementById("outcome").textContent = error.message;
  }
});

function row(lead) {
  const received = new Date(lead.received_at).toLocaleTimeString();
  const cells = [received, lead.full_name, lead.email, lead.phone, (lead.tags ?? []).join(", "), lead.page_name, lead.form_name, lead.assigned_to];
  const line = document.createElement("tr");
  for (const cell of cells) line.appendChild(document.createElement("td")).textContent = cell ?? "–";
  return line;
}

async function refresh() {
  try {
    const { items } = await call("/api/leads?limit=10");
    if (items.length) document.getElementById("leads").replaceChildren(...items.map(row));
  } finally {
    setTimeout(refresh, 2000);
  }
}

// What the way back from Meta says.
document.getElementById("outcome").textContent = [...new URLSearchParams(location.search)].map((pair) => pair.join(": ")).join(", ");
refresh();
