const { graphql } = require("relay-runtime");

graphql`
  query BoardQuery($text: String!) {
    ...Board_list
    search(query: $text) {
      rank
      entity {
        ... on Node {
          nodeId
        }
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
    topKillers: leaderboard(kind: CHARACTER, window: ALL_TIME) {
      places {
        entity {
          ... on Character {
            id
          }
          ... on Region {
            id
          }
        }
      }
    }
  }
`;

graphql`
  fragment Board_list on Query
  @refetchable(queryName: "BoardPageQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" }) {
    killmails(first: $first, after: $after, filter: { npc: false }) @connection(key: "Board_killmails") {
      edges {
        node {
          id
          ...Board_attackers
        }
      }
    }
  }
`;

graphql`
  fragment Board_attackers on Killmail
  @refetchable(queryName: "BoardAttackersQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 5 }, after: { type: "String" }) {
    attackersPage(first: $first, after: $after) @connection(key: "Board_attackersPage") {
      edges {
        node {
          damageDone
        }
      }
    }
  }
`;
