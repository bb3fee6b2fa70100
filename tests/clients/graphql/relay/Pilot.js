const { graphql } = require("relay-runtime");

graphql`
  query PilotQuery($id: ID64!) {
    character(id: $id) {
      ...Pilot_character
    }
  }
`;

graphql`
  fragment Pilot_character on Character
  @refetchable(queryName: "PilotPageQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" }) {
    name
    kills(first: $first, after: $after) @connection(key: "Pilot_kills") {
      edges {
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
    }
  }
`;
