"""The declarations of foreign exchange: BOP records (涉外收付款) and settlements (结售汇), each with its feedback."""
