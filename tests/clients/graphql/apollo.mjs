// Reads lists page by page through Apollo's cache. Arguments: host, pilot's id, two texts to search for.
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";

const [, , host, pilot, ...texts] = process.argv;

const client = new ApolloClient({
  link: new HttpLink({ uri: `${host}/graphql`, fetch }),
  cache: new InMemoryCache({
    typePolicies: {
      Query: { fields: { killmails: relayStylePagination(["filter", "order"]) } },
      Character: { fields: { kills: relayStylePagination() } },
      // What was found has the id of something else, and is another result in each search.
      SearchResult: { keyFields: false },
    },
  }),
});

const BOARD = gql`
  query Board($after: String) {
    killmails(first: 2, after: $after) {
      edges {
        cursor
        node {
          id
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`;
const PILOT = gql`
  query Pilot($id: ID64!, $after: String) {
    character(id: $id) {
      id
      kills(first: 2, after: $after) {
        edges {
          cursor
          node {
            id
            victim {
              shipType {
                id
                name
              }
            }
          }
        }
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
      }
    }
  }
`;
const SEARCH = gql`
  query Search($text: String!) {
    search(query: $text) {
      rank
      id
      entity {
        ... on Character {
          id
          name
        }
        ... on SolarSystem {
          id
          name
        }
        ... on Type {
          id
          name
        }
      }
    }
  }
`;

async function pages(query, variables, list) {
  const read = () => list(client.readQuery({ query, variables }));
  await client.query({ query, variables });
  const watched = client.watchQuery({ query, variables });
  const following = watched.subscribe({});
  const sizes = [read().edges.length];
  while (read().pageInfo.hasNextPage) {
    await watched.fetchMore({ variables: { after: read().pageInfo.endCursor } });
    sizes.push(read().edges.length);
  }
  following.unsubscribe();
  return { sizes, ids: read().edges.map((edge) => edge.node.id) };
}

const board = await pages(BOARD, {}, (data) => data.killmails);
const kills = await pages(PILOT, { id: Number(pilot) }, (data) => data.character.kills);
const ranks = [];
for (const text of texts) {
  await client.query({ query: SEARCH, variables: { text } });
}
for (const text of texts) {
  ranks.push(client.readQuery({ query: SEARCH, variables: { text } }).search.map((found) => found.rank));
}
const kept = Object.keys(client.cache.extract()).map((key) => key.split(":")[0]);
console.log(JSON.stringify({ board, kills, ranks, kept: [...new Set(kept)].sort() }));
