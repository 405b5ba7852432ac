"""The exchange envelope of the customs data platform: DxpMsg, DxpMsgSv, DxpRep."""
