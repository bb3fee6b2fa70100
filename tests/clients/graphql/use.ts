// What a program in TypeScript makes of the typed documents; compiled strictly, never run.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { ClientsThingsDocument, ClientsPageDocument } from "./made/graphql.js";

declare function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>;

export async function names(text: string): Promise<string[]> {
  const found = await ask(ClientsThingsDocument, { text });
  return found.search.flatMap((result) => {
    const entity = result?.entity;
    if (entity?.__typename === "Character" || entity?.__typename === "SolarSystem") {
      const id: number | string = entity.id;
      const nodeId: string = entity.nodeId;
      return [`${entity.name ?? id} ${nodeId}`];
    }
    return [];
  });
}

export async function ids(after: string | null): Promise<(number | string)[]> {
  const { killmails } = await ask(ClientsPageDocument, { after });
  const cursors: string[] = killmails.edges.map((edge) => edge.cursor);
  console.log(cursors.length, killmails.pageInfo.hasNextPage);
  return killmails.edges.flatMap((edge) => (edge.node ? [edge.node.id] : []));
}
